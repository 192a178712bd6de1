import { type GooglePart, googleError, type ProviderReply, startFakeGoogle } from '@devflow/testing'
import { describe, expect, test } from 'vitest'
import { AskedProvider } from '../conformance/asked-provider.fixture.ts'
import { doneOf, failureOf, textOf, usageOf } from '../conformance/harness.fixture.ts'
import type { Message } from '../model.ts'
import { googleModel } from './index.ts'

const MODEL = 'gemini-3.1-pro-preview'

const provider = new AskedProvider({
  start: startFakeGoogle,
  adapter: ({ baseURL }) => googleModel({ apiKey: 'AIza-test', baseURL }),
  request: { model: { provider: 'google', name: MODEL } },
})
const { ask, lastBody } = provider

const chunk = (parts: GooglePart[], more: Record<string, unknown> = {}) =>
  `data: ${JSON.stringify({ candidates: [{ content: { parts, role: 'model' }, ...more }], responseId: 'r1' })}\r\n\r\n`

const USAGE = {
  usageMetadata: {
    promptTokenCount: 55,
    candidatesTokenCount: 15,
    thoughtsTokenCount: 45,
    totalTokenCount: 115,
  },
}
const last = (more: Record<string, unknown> = {}) =>
  `data: ${JSON.stringify({ candidates: [{ finishReason: 'STOP' }], ...USAGE, ...more })}\r\n\r\n`

describe('usage', () => {
  test('adds the thoughts to the answer and counts cached tokens once', async () => {
    const [usage] = usageOf(
      await ask({ usage: { input: 5_000, output: 300, cached: 4_000, reasoning: 120 } }),
    )
    expect(usage).toEqual({
      inputTokens: 5_000,
      outputTokens: 300,
      cachedTokens: 4_000,
      reasoningTokens: 120,
    })
    const [seen] = usageOf(await ask({ frames: [chunk([{ text: 'Hi.' }]), last()] }))
    expect(seen).toEqual({ inputTokens: 55, outputTokens: 60, cachedTokens: 0, reasoningTokens: 45 })
  })

  test('of a reply that is all thought is its thoughts', async () => {
    const usageMetadata = { promptTokenCount: 10, thoughtsTokenCount: 40, totalTokenCount: 50 }
    expect(usageOf(await ask({ frames: [last({ usageMetadata })] }))[0]?.outputTokens).toBe(40)
  })
})

describe('how a reply ended', () => {
  test.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['BLOCKLIST', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter'],
    ['SPII', 'content_filter'],
  ])('%s is %s', async (finish, expected) => {
    expect(doneOf(await ask({ text: 'Well.', finish })).finish).toBe(expected)
  })

  test.each([
    ['MALFORMED_FUNCTION_CALL', 'provider_malformed_answer'],
    ['UNEXPECTED_TOOL_CALL', 'provider_malformed_answer'],
    ['CONTINUATION', 'provider_paused_turn'],
    ['OTHER', 'provider_failed'],
  ])('%s is no answer: %s, which passes', async (finish, code) => {
    const failure = await failureOf(ask({ finish }))
    expect(failure).toMatchObject({ kind: 'UNAVAILABLE', code, retryable: true, billed: 'unknown' })
    expect(failure.message).toContain(finish)
  })

  test('for a prompt that is blocked it fails for good, and says why', async () => {
    const frames = [
      `data: ${JSON.stringify({ promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata: { promptTokenCount: 9 } })}\r\n\r\n`,
    ]
    const failure = await failureOf(ask({ frames }))
    expect(failure).toMatchObject({
      kind: 'PERMISSION_DENIED',
      code: 'provider_moderation',
      retryable: false,
    })
    expect(failure.message).toContain('PROHIBITED_CONTENT')
  })

  test('with nothing said but chunks without candidates or parts it is read all the same', async () => {
    const frames = [
      `data: {"usageMetadata":{"promptTokenCount":5}}\r\n\r\n`,
      chunk([]),
      chunk([{ text: 'Hi.' }]),
      last(),
    ]
    expect(doneOf(await ask({ frames })).content).toBe('Hi.')
  })

  test('with a connection that stays open it is given out at once', async () => {
    expect(doneOf(await ask({ text: 'All.', flaw: 'lingers' })).content).toBe('All.')
    await provider.fake.waitFor(([first]) => first?.abortedAt !== undefined, 5_000)
  })

  test('torn into single bytes it is the same', async () => {
    expect(doneOf(await ask({ text: 'Hello 👋.', flaw: 'torn' })).content).toBe('Hello 👋.')
  })

  test('broken off it is asked for once: the package does not go on by itself', async () => {
    const frames = [chunk([{ text: 'Half' }], { continuationToken: 'token-1' })]
    expect((await failureOf(ask({ frames }))).code).toBe('provider_stream_incomplete')
    expect(provider.fake.requests).toHaveLength(1)
  })
})

describe('calls', () => {
  test('without ids get some that stay the same, and that the API is not told', async () => {
    const toolCalls = [
      { name: 'read_file', arguments: { path: 'a' }, seal: 'sig-1' },
      { name: 'read_file', arguments: { path: 'b' } },
    ]
    const first = doneOf(await ask({ toolCalls }))
    expect(first.toolCalls.map(({ id }) => id)).toEqual(['call_4_0', 'call_4_1'])
    expect(doneOf(await ask({ toolCalls })).toolCalls).toEqual(first.toolCalls)

    const [one, two] = first.toolCalls
    const messages: Message[] = [
      { role: 'user', content: 'Go.' },
      { role: 'assistant', content: first.content, toolCalls: first.toolCalls, reasoning: first.reasoning },
      // Tools end in any order; without ids the API goes by the order of the calls.
      { role: 'tool', toolCallId: two?.id ?? '', name: 'read_file', content: 'B' },
      { role: 'tool', toolCallId: one?.id ?? '', name: 'read_file', content: 'A' },
      { role: 'user', content: 'And?' },
    ]
    await ask({ text: 'Fine.' }, { messages })
    expect(lastBody().contents.slice(1)).toEqual([
      {
        role: 'model',
        parts: [
          { functionCall: { name: 'read_file', args: { path: 'a' } }, thoughtSignature: 'sig-1' },
          { functionCall: { name: 'read_file', args: { path: 'b' } } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'read_file', response: { output: 'A' } } },
          { functionResponse: { name: 'read_file', response: { output: 'B' } } },
          { text: 'And?' },
        ],
      },
    ])
  })
})

describe('signatures', () => {
  /** Takes a reply in, as it is stored, and shows the parts that go into the next request. */
  async function replayed(reply: ProviderReply, model = MODEL): Promise<GooglePart[]> {
    const { content, toolCalls, reasoning } = doneOf(await ask(reply))
    const stored = JSON.parse(JSON.stringify({ reasoning: reasoning ?? null })) as { reasoning: unknown }
    const messages: Message[] = [
      { role: 'user', content: 'Go.' },
      { role: 'assistant', content, toolCalls, reasoning: stored.reasoning },
      ...toolCalls.map(({ id, name }) => ({ role: 'tool' as const, toolCallId: id, name, content: 'ok' })),
      { role: 'user', content: 'On.' },
    ]
    await ask({ text: 'Fine.' }, { messages, model: { provider: 'google', name: model } }).catch(
      () => undefined,
    )
    return lastBody().contents[1]?.parts ?? []
  }

  test('go back in the parts they came in, text and thoughts too', async () => {
    const frames = [
      chunk([{ text: 'Hm. ', thought: true }]),
      chunk([{ text: 'signed thought', thought: true, thoughtSignature: 's0' }]),
      chunk([{ text: 'I ' }]),
      chunk([{ text: 'look.' }]),
      chunk([{ text: '', thoughtSignature: 's1' }]),
      chunk([{ functionCall: { id: 'f1', name: 'read_file', args: {} }, thoughtSignature: 's2' }]),
      last(),
    ]
    expect(await replayed({ frames })).toEqual([
      { text: 'signed thought', thought: true, thoughtSignature: 's0' },
      { text: 'I look.' },
      { text: '', thoughtSignature: 's1' },
      { functionCall: { id: 'f1', name: 'read_file', args: {} }, thoughtSignature: 's2' },
    ])
    expect(textOf(await ask({ frames }), 'thinking')).toBe('Hm. signed thought')
  })

  test('of one model are not shown to another, which is told that there are none', async () => {
    const reply = { toolCalls: [{ id: 'f1', name: 'read_file', arguments: {}, seal: 's' }] }
    expect((await replayed(reply, 'gemini-3.8-flash'))[0]?.thoughtSignature).toBe(
      'skip_thought_signature_validator',
    )
    expect((await replayed(reply, 'gemini-2.5-pro'))[0]).not.toHaveProperty('thoughtSignature')
  })

  test('changed on their way are refused', async () => {
    const messages: Message[] = [
      { role: 'user', content: 'Go.' },
      {
        role: 'assistant',
        content: 'Ok.',
        toolCalls: [],
        reasoning: { google: MODEL, parts: [{ type: 'text', end: 3, signature: 'forged' }] },
      },
      { role: 'user', content: 'On.' },
    ]
    expect((await failureOf(ask({ text: 'Fine.' }, { messages }))).code).toBe('provider_rejected_request')
  })
})

describe('an error of the API', () => {
  const refused = (status: number, message: string, more: Parameters<typeof googleError>[2] = {}) =>
    failureOf(ask({ error: { status, body: googleError(status, message, more) } }))

  test('RESOURCE_EXHAUSTED says in its details how long to wait', async () => {
    expect(
      await refused(429, 'You exceeded your current quota.', {
        retryAfter: 38.5,
        quota: 'GenerateRequestsPerMinutePerProjectPerModel',
      }),
    ).toMatchObject({
      kind: 'RATE_LIMITED',
      code: 'provider_rate_limited',
      retryable: true,
      retryAfterMs: 38_500,
      billed: 'no',
    })
  })

  test('for a day’s quota it is not waited for', async () => {
    expect(
      await refused(429, 'You exceeded your current quota.', {
        retryAfter: 3,
        quota: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier',
      }),
    ).toMatchObject({
      code: 'provider_daily_limit',
      retryable: false,
    })
  })
})
