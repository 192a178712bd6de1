import { type ProviderReply, startFakeChatServer, startFakeOpenAi } from '@devflow/testing'
import { afterAll, expect, test } from 'vitest'
import { eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { NOTE } from '../support/templates.ts'

const KEY = 'sk-openai-secret-of-the-test'
const openai = await startFakeOpenAi()
const lab = await startFakeChatServer()
afterAll(() => Promise.all([openai.close(), lab.close()]))

const stack = useStack({
  OPENAI_API_KEY: KEY,
  OPENAI_BASE_URL: `${openai.baseURL}/v1`,
  OPENAI_COMPATIBLE_MY_LAB_BASE_URL: `${lab.baseURL}/v1`,
  OPENAI_COMPATIBLE_MY_LAB_API_KEY: KEY,
})

const template = (model: object): string => `
kind: template
id: one@1
title: One
roles: { worker: { persona: acme:one@1 } }
artifacts: { note: { schema: note@1 } }
phases:
  - { id: work, agent: { role: worker, prompt: Work., produces: note } }
---
${JSON.stringify({
  kind: 'persona',
  id: 'acme:one@1',
  model: { maxOutputTokens: 500, pricing: { input: 2, output: 8 }, ...model },
  tools: ['list_dir', 'complete'],
})}
`

/** Looks around once, having thought about it, and completes. */
const reply = (n: number): ProviderReply => ({
  thinking: 'I think.',
  seal: `gAAAA+/=${n}`,
  usage: { input: 100, output: 10, cached: 40, reasoning: 4 },
  toolCalls: [
    n === 1
      ? { id: 'call_1', name: 'list_dir', arguments: { path: '.' } }
      : { id: 'call_2', name: 'complete', arguments: { content: NOTE } },
  ],
})

async function ledgerOf(run: string) {
  const { rows } = await stack.pool.query(
    `select provider, status, cost_micro_usd::float8 as cost, cost_source as source, generation_id as id
     from devflow.model_calls where run_id = $1 order by turn`,
    [run],
  )
  return rows
}

test('a session with OpenAI sends its encrypted reasoning back out of the log, and is settled by its price', async () => {
  openai.script(({ n }) => reply(n))
  const end = await stack.finish(template({ provider: 'openai', name: 'gpt-5-codex' }))
  expect(end.error).toBeNull()
  // The stand-in refuses reasoning that is changed or missing.
  const seals = openai.requests[1]?.body.input.flatMap(({ encrypted_content }) => encrypted_content ?? [])
  expect(seals).toEqual(['gAAAA+/=1'])
  // 100 tokens at 2 and 10 at 8 micro-dollars: the persona's price knows no cache.
  expect(await ledgerOf(end.id)).toEqual(
    openai.requests.map(({ id }) => ({
      provider: 'openai',
      status: 'settled',
      cost: 280,
      source: 'pricing',
      id,
    })),
  )
  expect(JSON.stringify(end.events)).not.toContain(KEY)
})

test('a persona names a server of the operator’s, and a fallback of the same server', async () => {
  lab.script(({ n, body }) =>
    body.model === 'small'
      ? { error: { status: 404, body: { error: { message: 'The model small does not exist.' } } } }
      : reply(n - 1),
  )
  const model = { provider: 'openai-compatible', endpoint: 'my-lab', name: 'small', fallbacks: ['large'] }
  const end = await stack.finish(template(model))
  expect(end.error).toBeNull()
  expect(eventsOf(end, 'model.fallback').map(({ data }) => data)).toEqual([
    { from: 'small', to: 'large', reason: 'provider_model_not_found' },
  ])
  expect(lab.requests.map(({ body }) => body.model)).toEqual(['small', 'large', 'large'])
  expect(lab.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`)
})

test('a server that nobody configured fails the phase with the variable to set', async () => {
  const end = await stack.finish(template({ provider: 'openai-compatible', name: 'any' }))
  expect(end.error).toMatchObject({ kind: 'INVALID', code: 'provider_endpoint_unknown' })
  expect(end.error?.message).toContain('OPENAI_COMPATIBLE_BASE_URL')
})
