import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { smallRepository } from '../support/repository.ts'
import { eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()
const folder = mkdtempSync(join(tmpdir(), 'devflow-asked-'))
const faults = join(folder, 'fault')
const repo = await smallRepository()
afterAll(() => {
  for (const path of [folder, repo]) rmSync(path, { recursive: true, force: true })
})

/** The worker dies in the middle of one that was asked for help, wherever that is. */
const BOUNDARIES = ['after-reserve:3', 'mid-stream:20', 'after-record:3', 'after-effect:2', 'after-blob:2']
const WRITES = 6

/** A part inside another's must not be read as its own. */
const hidden = (text: string): string =>
  JSON.stringify(text).replace(/[[\]{}]/g, (mark) => `\\u00${mark.charCodeAt(0).toString(16)}`)
const asking = (turn: number, persona: string, task: string): string =>
  `[tool@${turn}=request_subagent {"persona":"${persona}","task":${hidden(task)}}]`
const streamed = '[chunks=6] [chunkDelayMs=4]'
/** Adds the turn's number to a file: done twice, or not at all, it shows. */
const writing = Array.from({ length: WRITES }, (_, index) =>
  index === 0
    ? '[tool@1=write_file {"path":"log.txt","content":"1;END"}]'
    : `[tool@${index + 1}=edit_file {"path":"log.txt","old":"END","new":"${index + 1};END"}]`,
).join('')

test('those who were asked for help go on wherever their workers were killed, and no turn is paid twice', async () => {
  await stack.stopWorker()
  const reading = `[turns=3] ${streamed} [[complete:"read"]]`
  const prompt = [
    `[turns=3] ${streamed} [[complete:"all done"]]`,
    asking(1, 'scout', reading) + asking(1, 'scout', reading),
    asking(2, 'writer', `[turns=${WRITES}] ${streamed} ${writing} [[complete:"written"]]`),
    '[tool@3=read_file {"path":"log.txt"}]',
  ].join(' ')
  const persona = (id: string) =>
    `{ kind: persona, id: ${id}@1, model: { provider: openrouter, name: deepseek/deepseek-chat, maxOutputTokens: 400 }, tools: [request_subagent, read_file, list_dir, write_file, edit_file] }`
  const run = await stack.submit(
    `
kind: template
id: asking@1
roles: { lead: { persona: lead@1 }, scout: { persona: scout@1 }, writer: { persona: writer@1 } }
phases:
  - { id: work, agent: { role: lead, prompt: ${JSON.stringify(prompt)} } }
---
${['lead', 'scout', 'writer'].map(persona).join('\n---\n')}
`,
    { workspace: { repo } },
  )
  for (const boundary of BOUNDARIES) {
    writeFileSync(faults, boundary)
    await stack.startWorker({ DEVFLOW_FAULT_FILE: faults })
    await stack.untilWorkerDies()
  }
  writeFileSync(faults, '')
  await stack.startWorker({ DEVFLOW_FAULT_FILE: faults })
  const end = await stack.untilStatus(run, 'completed')

  const results = eventsOf(end, 'tool.completed').filter(({ phase }) => phase === 'work')
  expect(results.map(({ data }) => data.content)).toEqual([
    'read',
    'read',
    'written',
    expect.stringContaining(`1\t${Array.from({ length: WRITES }, (_, index) => index + 1).join(';')};END`),
  ])
  // Each began and ended once, and each of its turns is on record once.
  expect(eventsOf(end, 'subagent.started')).toHaveLength(3)
  expect(eventsOf(end, 'subagent.completed')).toHaveLength(3)
  const turns = eventsOf(end, 'turn.completed').map(({ phase, turn }) => `${phase}/1/${turn}`)
  expect(turns).toHaveLength(4 + 4 + 4 + WRITES + 1)
  expect(new Set(turns).size).toBe(turns.length)
  expect(eventsOf(end, 'session.resumed').some(({ phase }) => phase?.startsWith('work~'))).toBe(true)

  // A turn on record is never asked for again; a death costs at most what the two at work had under way.
  const recorded = new Map(
    eventsOf(end, 'turn.completed').map(({ phase, turn, at }) => [`${phase}/1/${turn}`, at.getTime()]),
  )
  const requests = stack.fake.requests.filter(({ session }) => session.startsWith(run))
  const turnOf = ({ session, body }: (typeof requests)[number]) =>
    `${session.slice(run.length + 1)}/${body.messages.filter(({ role }) => role === 'assistant').length + 1}`
  expect(requests.filter((request) => request.at > (recorded.get(turnOf(request)) ?? 0))).toEqual([])
  expect(requests.length).toBeLessThanOrEqual(turns.length + 2 * BOUNDARIES.length)
  const { rows } = await stack.pool.query<{ status: string; n: number }>(
    'select status, count(*)::int as n from devflow.model_calls where run_id = $1 group by 1',
    [run],
  )
  const counted = Object.fromEntries(rows.map(({ status, n }) => [status, n]))
  expect(counted.settled).toBeGreaterThanOrEqual(turns.length)
  expect(counted.reserved).toBeUndefined()
})
