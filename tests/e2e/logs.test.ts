import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type ApiProcess, startApi } from '../support/api-process.ts'
import { Stack } from '../support/stack.ts'
import { agentTemplate } from '../support/templates.ts'

const read = (path: string) => readFile(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')
const SECRET = 'hunter2-swordfish-0815'

const stack = new Stack({ DEVFLOW_LOG_LEVEL: 'debug', DEVFLOW_SECRETS: SECRET })
let api: ApiProcess
let printed: string

/** Runs that go well and ill, a worker that is killed, requests that are refused: then all that was logged of it. */
beforeAll(async () => {
  await stack.start()
  await stack.startWorker()
  api = await startApi({
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: stack.client.options.namespace ?? '',
    DEVFLOW_LOG_LEVEL: 'debug',
    DEVFLOW_SECRETS: SECRET,
  })
  await api.call(`/v1/runs?nonsense=${SECRET}`)
  await api.call('/v1/runs', { body: { template: SECRET } })
  await stack.finish(agentTemplate(`[turns=1] ${SECRET}`))
  const slow = await stack.submit(agentTemplate('[turns=3][chunks=20][chunkDelayMs=20]'))
  await stack.untilEvent(slow, 'turn.completed')
  const before = stack.printed()
  await stack.worker.kill()
  await stack.startWorker()
  await stack.untilStatus(slow, 'completed')
  await stack.finish(agentTemplate('[scenario=status_500]'))
  printed = before + stack.printed()
  await api.stop()
  printed += api.printed()
})
afterAll(() => stack.stop())

const lines = () =>
  printed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('every line is an event of known level, whose fields are those that are documented', async () => {
  const section = (await read('docs/operations.md')).split('\n## Logs\n')[1]?.split('\n## ')[0] ?? ''
  const cells = [...section.matchAll(/^\| ((?:`\w+` ?)+) \|/gm)].map(([, cell = '']) => cell)
  const documented = cells.flatMap((cell) => cell.match(/\w+/g) ?? [])
  const levels = ['debug', 'info', 'warn', 'error', 'fatal']
  expect(documented).toEqual(expect.arrayContaining([...levels, 'runId', 'traceId']))
  expect(lines().length).toBeGreaterThan(20)
  for (const line of lines()) {
    expect(levels).toContain(line.level)
    expect(line.msg).toMatch(/\S/)
    expect(Object.keys(line).filter((field) => !documented.includes(field))).toEqual([])
  }
})

test('every field a line can have is documented, and no other', async () => {
  const section = (await read('docs/operations.md')).split('\n## Logs\n')[1]?.split('\n## ')[0] ?? ''
  const table = section.slice(section.indexOf('| field | is |'))
  const documented = [...table.matchAll(/^\| ((?:`\w+` ?)+) \|/gm)].flatMap(
    ([, cell = '']) => cell.match(/\w+/g) ?? [],
  )
  const source = await read('packages/contracts/src/log-fields.ts')
  const fields = [...source.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name = '']) => name)
  const always = ['level', 'time', 'name', 'pid', 'hostname', 'msg']
  expect(documented.sort()).toEqual([...always, ...fields].sort())
})

test('where in a run a line was written is told by the words of its events', () => {
  const turn = lines().find(({ msg }) => String(msg).startsWith('a turn was taken'))
  expect(turn).toMatchObject({ level: 'debug', runId: stack.runs[0], phase: 'work', attempt: 1, turn: 1 })
  const failed = lines().find(({ msg }) => msg === 'a model call failed')
  expect(failed).toMatchObject({
    level: 'warn',
    runId: stack.runs[2],
    phase: 'work',
    attempt: 1,
    turn: 1,
    call: 1,
    code: expect.stringMatching(/^[a-z_]+$/),
  })
})

test('a request is a line with its route, its status and the id its client got', async () => {
  const answered = lines().filter(({ msg }) => msg === 'answered')
  expect(answered).toMatchObject([
    { level: 'debug', method: 'GET', path: '/v1/runs', status: 400 },
    { level: 'debug', method: 'POST', path: '/v1/runs', status: expect.any(Number) },
  ])
  for (const { traceId } of answered) expect(traceId).toMatch(/^[0-9a-f-]{36}$/)
})

test('what goes as it should makes no line above info, and no secret is in any', () => {
  const ids = [stack.runs[0]]
  expect(lines().filter(({ runId, level }) => ids.includes(String(runId)) && level !== 'debug')).toEqual([])
  expect(printed).not.toContain(SECRET)
})
