import { openAiError, startFakeChatServer } from '@devflow/testing'
import { expect, test } from 'vitest'
import { AskedProvider } from './conformance/asked-provider.fixture.ts'
import { doneOf, failureOf, usageOf } from './conformance/harness.fixture.ts'
import { openAiCompatibleModel } from './openai-compatible.ts'

const KEY = 'sk-lab-secret-0123456789'
const provider = new AskedProvider({
  start: () => startFakeChatServer({ key: false }),
  adapter: (fake) => {
    const baseURL = `${fake.baseURL}/v1`
    return openAiCompatibleModel({
      endpoints: { default: { baseURL }, 'my-lab': { baseURL, apiKey: KEY } },
    })
  },
  request: {
    model: { provider: 'openai-compatible', name: 'deepseek-chat' },
    messages: [{ role: 'user', content: 'Go.' }],
  },
})
const { ask } = provider
/** The model at a server that has a name. */
const at = (endpoint: string) => ({
  model: { provider: 'openai-compatible' as const, name: 'deepseek-chat', endpoint },
})

test('a server without a key is sent none; one with a key is sent its own', async () => {
  await ask({ text: 'Fine.' })
  await ask({ text: 'Fine.' }, at('my-lab'))
  expect(provider.fake.requests.map(({ headers }) => headers.authorization)).toEqual([
    undefined,
    `Bearer ${KEY}`,
  ])
})

test('a server nobody configured is told with the variable to set, and asked nothing', async () => {
  const failure = await failureOf(ask({ text: 'Fine.' }, at('deep-seek')))
  expect(failure).toMatchObject({ kind: 'INVALID', code: 'provider_endpoint_unknown', billed: 'no' })
  expect(failure.message).toContain('OPENAI_COMPATIBLE_DEEP_SEEK_BASE_URL')
  expect(provider.fake.requests).toHaveLength(0)
})

test('a key that the server repeats is not told', async () => {
  const error = { status: 401, body: openAiError(`Incorrect API key provided: ${KEY}.`) }
  const failure = await failureOf(ask({ error }, at('my-lab')))
  expect(failure.message).toContain('[secret]')
  expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain(KEY)
})

test('reasoning goes back under the name it came by', async () => {
  const call = { id: 'call_1', name: 'read_file', arguments: {} }
  const { content, toolCalls, reasoning } = doneOf(await ask({ thinking: 'I look.', toolCalls: [call] }))
  await ask(
    { text: 'Fine.' },
    {
      messages: [
        { role: 'user', content: 'Go.' },
        { role: 'assistant', content, toolCalls, reasoning },
        { role: 'tool', toolCallId: 'call_1', name: 'read_file', content: 'ok' },
      ],
    },
  )
  expect(provider.fake.requests[1]?.body.messages[1]).toMatchObject({
    reasoning_content: 'I look.',
    content: null,
  })
})

test('usage beside the finish, as DeepSeek sends it, counts what was cached', async () => {
  const chunk = {
    id: 'x',
    choices: [{ index: 0, delta: { content: 'Fine.' }, finish_reason: 'stop' }],
    usage: {
      prompt_tokens: 30,
      completion_tokens: 2,
      prompt_cache_hit_tokens: 20,
      prompt_cache_miss_tokens: 10,
    },
  }
  const events = await ask({ frames: [`data: ${JSON.stringify(chunk)}\n\n`, 'data: [DONE]\n\n'] })
  expect(usageOf(events)).toEqual([{ inputTokens: 30, outputTokens: 2, cachedTokens: 20 }])
})
