import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type ApiProcess, startApi } from '../support/api-process.ts'
import { Stack } from '../support/stack.ts'

const stack = new Stack({})
let api: ApiProcess
beforeAll(async () => {
  await stack.start()
  await stack.startWorker()
  api = await startApi({
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: stack.client.options.namespace,
  })
})
afterAll(async () => {
  await api?.stop()
  await stack.stop()
})

/** Entries by which a gate is passed, then `word` is written, which no other word's schema takes, and counted by code. */
const entries = (word: string) => [
  {
    kind: 'schema',
    id: 'flight:word',
    schema: { type: 'object', required: ['word'], properties: { word: { const: word } } },
  },
  {
    kind: 'persona',
    id: 'flight:writer',
    model: {
      provider: 'scripted',
      name: word,
      script: { turns: [{ toolCalls: [{ name: 'complete', arguments: { content: { word } } }] }] },
    },
    tools: ['complete'],
  },
  {
    kind: 'function',
    id: 'flight:code',
    source: `export default (input: { word: string }) => '${word} code counts ' + input.word.length`,
  },
  {
    kind: 'template',
    id: 'flight:t',
    title: word,
    roles: { writer: { persona: 'flight:writer' } },
    artifacts: { word: { schema: 'flight:word' } },
    phases: [
      { id: 'ask', gate: { title: `Write ${word}?` } },
      { id: 'write', agent: { role: 'writer', prompt: `Write ${word}.`, produces: 'word' } },
      { id: 'count', function: { name: 'flight:code', input: { word: `\${{ artifacts.word.word }}` } } },
    ],
    output: { said: `\${{ artifacts.word.word }}`, by: word, code: `\${{ phases.count.output }}` },
  },
]

async function change(op: string, changed: readonly object[]): Promise<void> {
  const body = { changes: changed.map((entry) => ({ op, entry })) }
  const answer = await api.call('/v1/registry/changes', { body })
  expect(answer.status, await answer.clone().text()).toBe(200)
}

async function submit(): Promise<string> {
  const answer = await api.call('/v1/runs', { body: { template: 'flight:t' } })
  expect(answer.status).toBe(201)
  const { id } = (await answer.json()) as { id: string }
  stack.runs.push(id)
  return id
}

async function finish(run: string): Promise<unknown> {
  await stack.untilEvent(run, 'gate.opened')
  const decided = await api.call(`/v1/runs/${run}/gates/ask/decisions`, { body: { decision: 'approve' } })
  expect(decided.status).toBe(200)
  await stack.untilStatus(run, 'completed', 'failed')
  return ((await (await api.call(`/v1/runs/${run}`)).json()) as { output?: unknown }).output
}

const made = (word: string) => ({ said: word, by: word, code: `${word} code counts 3` })

test('a run in flight ends by what it began with, whatever becomes of the registry', async () => {
  await change('create', entries('old'))
  const [changed, deleted, restored] = [await submit(), await submit(), await submit()]
  await stack.untilEvent(changed, 'gate.opened')
  await change('update', entries('new'))
  // A new worker knows of the run what the log says.
  await stack.worker.kill()
  await stack.startWorker()
  const fresh = await submit()
  expect(await finish(changed)).toEqual(made('old'))
  expect(await finish(fresh)).toEqual(made('new'))
  await change('delete', entries('new'))
  expect(await finish(deleted)).toEqual(made('old'))
  const back = await api.call('/v1/registry/versions/2/restore', { body: {} })
  expect(back.status).toBe(200)
  expect(await finish(await submit())).toEqual(made('new'))
  expect(await finish(restored)).toEqual(made('old'))
  expect(await stack.brokenLogs()).toEqual({})
})
