import { type AnthropicBlock, startFakeAnthropic } from '@devflow/testing'
import { describe, expect, test } from 'vitest'
import { AskedProvider } from '../conformance/asked-provider.fixture.ts'
import { doneOf, failureOf, usageOf } from '../conformance/harness.fixture.ts'
import type { Message } from '../model.ts'
import { anthropicModel } from './index.ts'

const MODEL = 'claude-sonnet-5-5'

const provider = new AskedProvider({
  start: startFakeAnthropic,
  adapter: ({ baseURL }) => anthropicModel({ apiKey: 'sk-ant-test', baseURL }),
  request: { model: { provider: 'anthropic', name: MODEL } },
})
const { ask, lastBody } = provider

const event = (type: string, data: Record<string, unknown>) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`

const message = (blocks: [Record<string, unknown>, ...Record<string, unknown>[]][], stop = 'tool_use') => [
  event('message_start', {
    message: { id: 'msg_1', model: MODEL, content: [], usage: { input_tokens: 10, output_tokens: 1 } },
  }),
  ...blocks.flatMap(([block, ...deltas], index) => [
    event('content_block_start', { index, content_block: block }),
    ...deltas.map((delta) => event('content_block_delta', { index, delta })),
    event('content_block_stop', { index }),
  ]),
  event('message_delta', { delta: { stop_reason: stop }, usage: { output_tokens: 30 } }),
  event('message_stop', {}),
]

describe('usage', () => {
  test('counts what the cache gave and took among the input, once, and takes the last word for the output', async () => {
    const events = await ask({
      usage: { input: 5_000, output: 300, cached: 4_000, cacheWritten: 900, reasoning: 120 },
    })
    expect(usageOf(events)).toEqual([
      {
        inputTokens: 5_000,
        outputTokens: 300,
        cachedTokens: 4_000,
        cacheWriteTokens: 900,
        reasoningTokens: 120,
      },
    ])
  })
})

describe('how a reply ended', () => {
  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['refusal', 'content_filter'],
  ])('%s is %s', async (finish, expected) => {
    expect(doneOf(await ask({ text: 'Well.', finish })).finish).toBe(expected)
  })

  test('pause_turn is half an answer: a failure that passes', async () => {
    expect(await failureOf(ask({ text: 'Half', finish: 'pause_turn' }))).toMatchObject({
      kind: 'UNAVAILABLE',
      code: 'provider_paused_turn',
      retryable: true,
      billed: 'unknown',
    })
  })

  test('without message_stop it is whole all the same once its stop reason and usage came', async () => {
    const frames = message(
      [
        [
          { type: 'text', text: '' },
          { type: 'text_delta', text: 'All.' },
        ],
      ],
      'end_turn',
    )
    expect(doneOf(await ask({ frames: frames.slice(0, -1) })).content).toBe('All.')
  })

  test('with a connection that stays open it is given out at once', async () => {
    expect(doneOf(await ask({ text: 'All.', flaw: 'lingers' })).content).toBe('All.')
    await provider.fake.waitFor(([first]) => first?.abortedAt !== undefined, 5_000)
  })

  test('torn into single bytes it is the same', async () => {
    expect(doneOf(await ask({ text: 'Hello 👋.', flaw: 'torn' })).content).toBe('Hello 👋.')
  })
})

describe('thinking', () => {
  const call = { type: 'tool_use', id: 'toolu_1', name: 'read_file', input: {} }
  const fragment = { type: 'input_json_delta', partial_json: '{"path":"a"}' }

  /** Two turns: what is said in the first, and the blocks of it that go into the second. */
  async function replayed(frames: string[], model = MODEL): Promise<AnthropicBlock[]> {
    const { content, toolCalls, reasoning } = doneOf(await ask({ frames }))
    // What is stored of a turn has been through JSON.
    const stored = JSON.parse(JSON.stringify({ reasoning: reasoning ?? null })) as { reasoning: unknown }
    const messages: Message[] = [
      { role: 'user', content: 'Go.' },
      { role: 'assistant', content, toolCalls, reasoning: stored.reasoning },
      ...toolCalls.map(({ id, name }) => ({ role: 'tool' as const, toolCallId: id, name, content: 'ok' })),
      { role: 'user', content: 'On.' },
    ]
    // The thinking of these frames was made up here: the fake would not know its signature.
    await ask({ text: 'Fine.' }, { messages, model: { provider: 'anthropic', name: model } }).catch(
      () => undefined,
    )
    const { content: blocks } = lastBody().messages[1] ?? {}
    return blocks as AnthropicBlock[]
  }

  test('goes back where it stood, byte for byte, with what was redacted', async () => {
    const frames = message([
      [
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'thinking_delta', thinking: 'One ' },
        { type: 'thinking_delta', thinking: 'two.  ' },
        { type: 'signature_delta', signature: 'Eq+/=' },
      ],
      [{ type: 'redacted_thinking', data: 'b64==' }],
      [
        { type: 'text', text: '' },
        { type: 'text_delta', text: 'First. ' },
      ],
      [
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'signature_delta', signature: 'empty+' },
      ],
      [
        { type: 'text', text: '' },
        { type: 'text_delta', text: 'Second.' },
      ],
      [call, fragment],
    ])
    expect(await replayed(frames)).toEqual([
      { type: 'thinking', thinking: 'One two.  ', signature: 'Eq+/=' },
      { type: 'redacted_thinking', data: 'b64==' },
      { type: 'text', text: 'First. ' },
      { type: 'thinking', thinking: '', signature: 'empty+' },
      { type: 'text', text: 'Second.' },
      { type: 'tool_use', id: 'toolu_1', name: 'read_file', input: { path: 'a' } },
    ])
  })

  test('of one model is not shown to another', async () => {
    const frames = message([
      [
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'signature_delta', signature: 'Eq' },
      ],
      [call, fragment],
    ])
    const blocks = await replayed(frames, 'claude-opus-5-5')
    expect(blocks.map(({ type }) => type)).toEqual(['tool_use'])
  })

  test('changed on its way is refused by the API, and says so', async () => {
    const { content, toolCalls, reasoning } = doneOf(
      await ask({ thinking: 'Hm.', seal: 'sig-1', text: 'Ok.' }),
    )
    const changed = JSON.parse(JSON.stringify(reasoning).replace('Hm.', 'Hm!')) as unknown
    const messages: Message[] = [
      { role: 'user', content: 'Go.' },
      { role: 'assistant', content, toolCalls, reasoning: changed },
      { role: 'user', content: 'On.' },
    ]
    expect(await failureOf(ask({ text: 'Fine.' }, { messages }))).toMatchObject({
      kind: 'INVALID',
      code: 'provider_rejected_request',
      billed: 'no',
    })
    expect(
      doneOf(
        await ask(
          { text: 'Fine.' },
          {
            messages: [
              ...messages.slice(0, 1),
              { role: 'assistant', content, toolCalls, reasoning },
              ...messages.slice(2),
            ],
          },
        ),
      ).content,
    ).toBe('Fine.')
  })
})

describe('the request', () => {
  const turn = (n: number): Message[] => [
    {
      role: 'assistant',
      content: '',
      toolCalls: [{ id: `call.${n}:0`, name: 'read_file', arguments: 'no JSON' }],
    },
    { role: 'tool', toolCallId: `call.${n}:0`, name: 'read_file', content: `result ${n}` },
  ]

  test('marks for the cache the system text and the last two messages of ours', async () => {
    const messages: Message[] = [
      { role: 'system', content: 'You are a test.' },
      { role: 'user', content: 'Go.' },
      ...turn(1),
      ...turn(2),
    ]
    await ask({ text: 'Fine.' }, { messages })
    const body = lastBody()
    const marked = (blocks: AnthropicBlock[]) => blocks.at(-1)?.cache_control?.type
    expect(marked(body.system as AnthropicBlock[])).toBe('ephemeral')
    expect(
      body.messages.map(({ role, content }) => [role, marked(content as AnthropicBlock[]) ?? 'none']),
    ).toEqual([
      ['user', 'none'],
      ['assistant', 'none'],
      ['user', 'ephemeral'],
      ['assistant', 'none'],
      ['user', 'ephemeral'],
    ])
  })

  test('without tools has no turn after it, and writes no cache', async () => {
    await ask({ text: 'Fine.' }, { tools: [] })
    expect(JSON.stringify(lastBody())).not.toContain('cache_control')
    expect(lastBody().tools).toBeUndefined()
  })

  test('is one the API takes, whatever stands in the conversation', async () => {
    const messages: Message[] = [
      { role: 'user', content: 'Go.' },
      ...turn(1),
      { role: 'user', content: 'And now?' },
      { role: 'assistant', content: '  ', toolCalls: [] },
      { role: 'user', content: 'Your answer was empty.' },
    ]
    expect(doneOf(await ask({ text: 'Fine.' }, { messages })).content).toBe('Fine.')
    expect(
      lastBody().messages.map(({ role, content }) => [
        role,
        (content as AnthropicBlock[]).map(({ type }) => type),
      ]),
    ).toEqual([
      ['user', ['text']],
      ['assistant', ['tool_use']],
      ['user', ['tool_result', 'text']],
      ['assistant', ['text']],
      ['user', ['text']],
    ])
  })

  test('with a temperature is made in the API’s last version that has one', async () => {
    const version = () => provider.fake.requests.at(-1)?.headers['anthropic-version']
    await ask({ text: 'Fine.' }, { model: { provider: 'anthropic', name: MODEL, temperature: 0 } })
    expect(version()).toBe('2023-06-01')
    expect(lastBody().temperature).toBe(0)
    await ask({ text: 'Fine.' })
    expect(version()).not.toBe('2023-06-01')
  })
})
