import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { smallRepository } from '../support/repository.ts'
import { eventsOf, type Standing } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()
const folder = mkdtempSync(join(tmpdir(), 'devflow-summed-'))
const faults = join(folder, 'fault')
const repo = await smallRepository()
afterAll(() => {
  for (const path of [folder, repo]) rmSync(path, { recursive: true, force: true })
})

const TEMPLATE = `
kind: template
id: looking@1
roles: { looker: { persona: looker@1 } }
phases:
  - { id: look, agent: { role: looker, prompt: '[turns=40] [tool=read_file {"path":"README.md"}] [chunks=2] [[complete:"looked"]]' } }
---
kind: persona
id: looker@1
model: { provider: openrouter, name: deepseek/deepseek-chat, maxOutputTokens: 200, contextWindow: 2500 }
tools: [read_file]
`

const summaries = (run: Standing) =>
  eventsOf(run, 'context.compacted').map(({ turn, data }) => [turn, data.upToTurn, data.summary])
const requestsOf = (run: Standing) => stack.fake.requests.filter(({ session }) => session.startsWith(run.id))

test('a session killed in the middle of a summary, and right after it, goes on as one that was not', async () => {
  const calm = await stack.finish(TEMPLATE, { workspace: { repo } })
  expect(calm.status).toBe('completed')
  const [first] = summaries(calm)
  await stack.stopWorker()

  const run = await stack.submit(TEMPLATE, { workspace: { repo } })
  // The call after those of the turns before is the summary's; the next worker's first record is the summary.
  for (const boundary of [`after-stream:${first?.[0]}`, 'after-record:1']) {
    writeFileSync(faults, boundary)
    await stack.startWorker({ DEVFLOW_FAULT_FILE: faults })
    await stack.untilWorkerDies()
  }
  writeFileSync(faults, '')
  await stack.startWorker({ DEVFLOW_FAULT_FILE: faults })
  const end = await stack.untilStatus(run, 'completed')

  expect(summaries(end)).toEqual(summaries(calm))
  expect(eventsOf(end, 'session.resumed')).toHaveLength(2)
  // One summary was asked for twice; all else that was sent is what the calm one sent.
  const sent = (of: Standing) => requestsOf(of).map(({ body }) => JSON.stringify(body.messages))
  expect(requestsOf(end)).toHaveLength(requestsOf(calm).length + 1)
  expect(new Set(sent(end))).toEqual(new Set(sent(calm)))
  const { rows } = await stack.pool.query<{ n: number; open: number }>(
    `select count(*)::int as n, count(*) filter (where status = 'reserved')::int as open from devflow.model_calls where run_id = $1`,
    [run],
  )
  expect(rows[0]).toEqual({ n: requestsOf(end).length, open: 0 })
})
