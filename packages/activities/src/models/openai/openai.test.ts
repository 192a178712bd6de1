import { openAiError, type ProviderReply, startFakeOpenAi } from '@devflow/testing'
import { describe, expect, test } from 'vitest'
import { AskedProvider } from '../conformance/asked-provider.fixture.ts'
import { doneOf, failureOf, textOf, usageOf } from '../conformance/harness.fixture.ts'
import type { Message } from '../model.ts'
import { openAiModel } from './index.ts'

const provider = new AskedProvider({
  start: startFakeOpenAi,
  adapter: ({ baseURL }, options: object = {}) =>
    openAiModel({
      apiKey: 'sk-test-0123456789',
      baseURL: `${baseURL}/v1`,
      ...options,
    }),
  request: {
    model: { provider: 'openai', name: 'gpt-5-codex' },
    messages: [{ role: 'user', content: 'Go.' }],
  },
})
const { ask } = provider

const event = (type: string, data: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
const frames = (...all: [type: string, data: object][]): ProviderReply => ({
  frames: all.map(([type, data]) => event(type, data)),
})

describe('a request', () => {
  test('keeps nothing at the provider, and asks for reasoning in its encrypted form', async () => {
    await ask({ text: 'Fine.' })
    const [first] = provider.fake.requests
    expect(first?.body).toMatchObject({
      store: false,
      stream: true,
      include: ['reasoning.encrypted_content'],
      tools: [{ type: 'function', name: 'read_file', strict: false }],
    })
    expect(String(first?.body.prompt_cache_key)).toMatch(/^.{1,64}$/)
    expect(first?.body).not.toHaveProperty('reasoning')
    expect(first?.headers.authorization).toBe('Bearer sk-test-0123456789')
  })

  test('to a model that does not reason does not ask for it: that is refused', async () => {
    await ask({ text: 'Fine.' }, { model: { provider: 'openai', name: 'gpt-4.1-mini' } })
    expect(provider.fake.requests[0]?.body).not.toHaveProperty('include')
  })

  test('asks for summaries only where the operator says so', async () => {
    await ask({ text: 'Fine.' }, {}, { reasoningSummary: 'auto' })
    expect(provider.fake.requests[0]?.body.reasoning).toEqual({ summary: 'auto' })
  })
})

describe('what goes back', () => {
  const CALL = { id: 'call_1', name: 'read_file', arguments: { path: 'a' } }

  async function again(first: ProviderReply, results: number) {
    const { content, toolCalls, reasoning } = doneOf(await ask(first))
    const messages: Message[] = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Go.' },
      { role: 'assistant', content, toolCalls, reasoning },
      ...toolCalls
        .slice(0, results)
        .map(({ id, name }) => ({ role: 'tool' as const, toolCallId: id, name, content: 'ok' })),
      ...(results === 0 ? [{ role: 'user' as const, content: 'Go on.' }] : []),
    ]
    // The stand-in refuses what the API refuses: changed or missing reasoning, calls without results.
    expect(doneOf(await ask({ text: 'Fine.' }, { messages })).content).toBe('Fine.')
    return provider.fake.requests[1]?.body.input ?? []
  }

  test('stands in the order the model made it: reasoning, text, calls, and then their results', async () => {
    const input = await again(
      { thinking: 'Hm.', seal: 'gAAAA+/=', text: 'I look.', toolCalls: [CALL, { ...CALL, id: 'call_2' }] },
      2,
    )
    expect(input.map(({ type, role }) => role ?? type)).toEqual([
      'system',
      'user',
      'reasoning',
      'assistant',
      'function_call',
      'function_call',
      'function_call_output',
      'function_call_output',
    ])
    expect(input[2]).toEqual({
      type: 'reasoning',
      id: 'rs_1',
      summary: [{ type: 'summary_text', text: 'Hm.' }],
      encrypted_content: 'gAAAA+/=',
    })
  })

  test('is not reasoning that led to nothing: without what follows it is refused', async () => {
    const input = await again({ thinking: 'Hm.', seal: 'gAAAA', finish: 'max_output_tokens' }, 0)
    expect(input.map(({ type, role }) => role ?? type)).toEqual(['system', 'user', 'user'])
  })

  test('is an object for arguments that were none', async () => {
    const input = await again({ toolCalls: [{ ...CALL, arguments: '{"path": "REA' }] }, 1)
    expect(input.find(({ type }) => type === 'function_call')?.arguments).toBe('{}')
  })
})

describe('a response', () => {
  const usage = { input_tokens: 9, output_tokens: 4 }
  const message = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Whole.' }] }
  const call = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'read_file', arguments: '{}' }

  test('that was not streamed item by item is taken from its end', async () => {
    const end = { id: 'resp_1', model: 'gpt-5', status: 'completed', output: [message, call], usage }
    const events = await ask(frames(['response.completed', { response: end }]))
    expect(doneOf(events)).toMatchObject({
      finish: 'tool_calls',
      content: 'Whole.',
      toolCalls: [{ id: 'call_1', name: 'read_file', arguments: '{}' }],
    })
    expect(usageOf(events)).toEqual([{ inputTokens: 9, outputTokens: 4 }])
  })

  test('whose end names neither output nor usage keeps what was streamed', async () => {
    const events = await ask(
      frames(
        ['response.output_text.delta', { output_index: 0, delta: 'Half ' }],
        ['response.output_text.delta', { output_index: 0, delta: 'and half.' }],
        ['response.output_item.added', { output_index: 1, item: { ...call, arguments: '' } }],
        ['response.function_call_arguments.delta', { output_index: 1, delta: '{"path":' }],
        ['response.function_call_arguments.delta', { output_index: 1, delta: '"a"}' }],
        ['response.completed', { response: { status: 'completed' } }],
      ),
    )
    expect(doneOf(events)).toMatchObject({
      content: 'Half and half.',
      toolCalls: [{ id: 'call_1', arguments: '{"path":"a"}' }],
    })
    expect(usageOf(events)).toEqual([])
  })

  test('of events nobody knows, and of keep-alives, is nothing but its text', async () => {
    const events = await ask(
      frames(
        ['keepalive', { sequence_number: 1 }],
        ['response.something_new', { delta: 'not text' }],
        ['response.output_text.delta', { output_index: 0, delta: 'Fine.' }],
        ['response.completed', { response: { status: 'completed', output: [], usage } }],
      ),
    )
    expect(textOf(events, 'token')).toBe('Fine.')
  })

  test('that the filter cut says so', async () => {
    const response = { status: 'incomplete', incomplete_details: { reason: 'content_filter' }, output: [] }
    expect(doneOf(await ask(frames(['response.incomplete', { response }]))).finish).toBe('content_filter')
  })

  test('that failed tells what it used before', async () => {
    const error = { code: 'rate_limit_exceeded', message: 'Slow down.' }
    provider.fake.script(() => frames(['response.failed', { response: { status: 'failed', error, usage } }]))
    const seen: unknown[] = []
    const stream = openAiModel({ apiKey: 'sk-test', baseURL: `${provider.fake.baseURL}/v1` }).stream(
      {
        model: { provider: 'openai', name: 'gpt-5' },
        messages: [{ role: 'user', content: 'Go.' }],
        tools: [],
        maxOutputTokens: 100,
        sessionId: 's',
        phase: 'p',
        attempt: 1,
        turn: 1,
      },
      new AbortController().signal,
    )
    const run = (async () => {
      for await (const each of stream) seen.push(each)
    })()
    expect(await failureOf(run)).toMatchObject({ code: 'provider_rate_limited', retryable: true })
    expect(seen).toEqual([{ kind: 'usage', usage: { inputTokens: 9, outputTokens: 4 } }])
  })
})

test.each([
  [429, 'insufficient_quota', 'provider_credits_exhausted', false],
  [429, 'rate_limit_exceeded', 'provider_rate_limited', true],
  [400, 'context_length_exceeded', 'context_length_exceeded', false],
  [401, 'invalid_api_key', 'provider_unauthorized', false],
  [404, 'model_not_found', 'provider_model_not_found', false],
  [503, 'server_is_overloaded', 'provider_unavailable', true],
])('a %i with the code %s is %s', async (status, code, expected, retryable) => {
  const error = { status, body: openAiError('As they say.', 'invalid_request_error', code) }
  expect(await failureOf(ask({ error }))).toMatchObject({ code: expected, retryable, billed: 'no' })
})
