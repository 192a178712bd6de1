import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { smallRepository } from '../support/repository.ts'
import { eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()
const folder = await mkdtemp(join(tmpdir(), 'devflow-disks-'))
const repo = await smallRepository()
afterAll(() => {
  for (const path of [folder, repo]) rmSync(path, { recursive: true, force: true })
})

const BUNDLES = fileURLToPath(new URL('../../node_modules/.cache/devflow-test', import.meta.url))

/** Every worker starts from nothing and waits for the heartbeat of the one before, on a machine that may be busy. */
const PATIENCE_MS = 120_000

/** A worker on a machine of its own: it shares nothing with the others but the database. `dies`: where, and the how-manieth time. */
async function workerOn(disk: string, dies?: string): Promise<void> {
  const data = join(folder, disk)
  mkdirSync(data, { recursive: true })
  const faults = join(data, 'fault')
  if (dies) writeFileSync(faults, dies)
  await stack.startWorker({ DEVFLOW_DATA: data, DEVFLOW_CACHE: BUNDLES, DEVFLOW_FAULT_FILE: faults })
}

/** Every worker takes a turn or so, and dies in the next. */
const BOUNDARIES = [
  'after-reserve:2',
  'mid-stream:9',
  'after-record:2',
  'after-effect:2',
  'after-blob:2',
  'after-tool:2',
]
const TURNS = 14

/** Adds the turn's number to a file: done twice, or not at all, it shows. */
const call = (turn: number) =>
  turn === 1
    ? '[tool@1=write_file {"path":"out/log.txt","content":"1;END"}]'
    : `[tool@${turn}=edit_file {"path":"out/log.txt","old":"END","new":"${turn};END"}]` +
      `[tool@${turn}=write_file {"path":"turns/${turn}.txt","content":"${'x'.repeat(turn)}"}]`
const numbers = Array.from({ length: TURNS }, (_, index) => index + 1)
const part = (turns: number, calls: string) => `[turns=${turns}] [chunks=6] [chunkDelayMs=2] ${calls}`

test('work on files goes on, on one disk after the other, wherever their workers were killed', async () => {
  await stack.stopWorker()
  const look = '[tool@1=read_file {"path":"out/log.txt"}][tool@2=list_dir {"path":"turns"}]'
  const run = await stack.submit(
    `
kind: template
id: relay@1
roles: { worker: { persona: writer@1 } }
phases:
  - { id: write, agent: { role: worker, prompt: ${JSON.stringify(part(TURNS, numbers.map(call).join('')))} } }
  - { id: look, agent: { role: worker, prompt: ${JSON.stringify(part(2, look))} } }
---
kind: persona
id: writer@1
model: { provider: openrouter, name: deepseek/deepseek-chat, maxOutputTokens: 500, maxTurns: 60 }
tools: [read_file, list_dir, write_file, edit_file]
`,
    { workspace: { repo } },
  )
  for (const [index, boundary] of BOUNDARIES.entries()) {
    await workerOn(`disk-${index}`, boundary)
    await stack.untilWorkerDies({ patienceMs: PATIENCE_MS })
  }
  await workerOn('last')
  const end = await stack.until(run, ({ status }) => status === 'completed', PATIENCE_MS)

  const seen = eventsOf(end, 'tool.completed').filter(({ phase }) => phase === 'look')
  expect(seen[0]?.data.content).toContain(`1\t${numbers.join(';')};END`)
  expect(seen[1]?.data.content).toContain(`(${TURNS - 1} entries)`)
  expect(eventsOf(end, 'session.resumed').length).toBeGreaterThanOrEqual(BOUNDARIES.length)
  // Each turn is on record once, with its results and one snapshot that holds what it did.
  const writing = (type: string) => eventsOf(end, type).filter(({ phase }) => phase === 'write')
  expect(writing('turn.completed').map(({ turn }) => turn)).toEqual([...numbers, TURNS + 1])
  expect(writing('workspace.snapshot').map(({ turn }) => turn)).toEqual(numbers)
  expect(writing('tool.completed')).toHaveLength(2 * TURNS - 1)
  expect(writing('tool.completed').every(({ data }) => data.ok === true)).toBe(true)

  // A turn on record is never asked for again, and only what was cut off was asked for twice.
  const recorded = new Map(writing('turn.completed').map(({ turn, at }) => [turn, at.getTime()]))
  const requests = stack.fake.requests.filter(({ session }) => session.startsWith(`${run}/write`))
  const turnOf = ({ body }: (typeof requests)[number]) =>
    body.messages.filter(({ role }) => role === 'assistant').length + 1
  expect(requests.filter((request) => request.at > (recorded.get(turnOf(request)) ?? 0))).toEqual([])
  expect(requests.length).toBeLessThanOrEqual(TURNS + 1 + 1)
})
