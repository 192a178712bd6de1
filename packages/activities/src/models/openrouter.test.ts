import { type FakeOpenRouter, type FakeReply, type ScenarioName, startFakeOpenRouter } from '@devflow/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ModelError, type ModelEvent, type ModelRequest } from './model.ts'
import { openRouterModel } from './openrouter.ts'

const KEY = 'sk-or-v1-secret-of-the-test'
let fake: FakeOpenRouter

beforeEach(async () => {
  fake = await startFakeOpenRouter()
})
afterEach(() => fake.close())

const request = (more: Partial<ModelRequest> = {}): ModelRequest => ({
  model: { provider: 'openrouter', name: 'deepseek/deepseek-chat' },
  messages: [
    { role: 'system', content: 'You are a test.' },
    { role: 'user', content: 'Say something.' },
  ],
  tools: [
    {
      name: 'read_file',
      description: 'reads',
      parameters: { type: 'object', properties: { path: { type: 'string' } } },
    },
  ],
  maxOutputTokens: 1000,
  sessionId: 'run/spec/1',
  phase: 'spec',
  attempt: 1,
  turn: 3,
  ...more,
})

const adapter = (progressTimeoutMs?: number) =>
  openRouterModel({ apiKey: KEY, baseURL: fake.baseURL, progressTimeoutMs })

async function collect(events: AsyncIterable<ModelEvent>): Promise<ModelEvent[]> {
  const all: ModelEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

const ask = (reply: FakeReply, more: Partial<ModelRequest> = {}) => {
  fake.script(() => reply)
  return collect(adapter().stream(request(more), new AbortController().signal))
}

const played = (scenario: ScenarioName) => ask({ scenario })

const doneOf = (events: ModelEvent[]) => {
  const done = events.at(-1)
  if (done?.kind !== 'done') throw new Error('the stream did not end with done')
  return done
}

const text = (events: ModelEvent[], kind: 'token' | 'thinking' | 'tool_use') =>
  events.map((event) => (event.kind === kind ? event.text : '')).join('')

const failure = (events: Promise<unknown>): Promise<ModelError> =>
  events.then(
    () => {
      throw new Error('expected a ModelError')
    },
    (error: unknown) => {
      if (!(error instanceof ModelError)) throw error
      return error
    },
  )

describe('a reply', () => {
  test.each<ScenarioName>([
    'happy_text',
    'comments_between',
    'byte_torn',
    'usage_empty_choices',
    'usage_null_finish',
    'usage_every_chunk',
    'usage_on_finish',
    'debug_first_chunk',
    'eof_no_done_complete',
    'linger_after_done',
  ])('of scenario %s comes whole, once, with its usage and generation', async (scenario) => {
    const events = await played(scenario)
    expect(events[0]).toEqual({ kind: 'generation', id: fake.requests[0]?.id })
    expect(text(events, 'token')).toBe('Hello 👋, all is well.')
    const done = doneOf(events)
    expect(done).toMatchObject({
      finish: 'stop',
      content: 'Hello 👋, all is well.',
      toolCalls: [],
      modelUsed: 'deepseek/deepseek-chat-v3',
    })
    const usages = events.filter((event) => event.kind === 'usage')
    expect(usages).toHaveLength(1)
    await fake.waitFor(([first]) => first?.finishedAt !== undefined || first?.abortedAt !== undefined)
    expect(usages[0]?.usage.costMicroUsd).toBe(fake.requests[0]?.billedMicroUsd)
    expect(fake.requests).toHaveLength(1)
  })

  test('without usage is told apart from one that cost nothing', async () => {
    const events = await played('usage_missing')
    expect(events.filter((event) => event.kind === 'usage')).toEqual([])
    expect(doneOf(events).content).toBe('Hello 👋, all is well.')
  })

  test.each([
    ['4.51e-06', 4.51],
    ['0.00001305', 13.05],
    ['0', 0],
    ['0.000000000001', 0.000001],
    ['123.456789012345', 123456789.012345],
    ['null', undefined],
  ])('with cost %s USD costs %s micro-dollars', async (cost, expected) => {
    const events = await ask({ cost })
    const usage = events.find((event) => event.kind === 'usage')
    expect(usage?.usage.costMicroUsd).toBe(expected)
  })

  test('to a known price list costs what the provider computes', async () => {
    const events = await ask(
      { usage: { promptTokens: 67, completionTokens: 5 } },
      { model: { provider: 'openrouter', name: 'openai/gpt-4o-mini' } },
    )
    expect(events.find((event) => event.kind === 'usage')?.usage).toEqual({
      inputTokens: 67,
      cacheWriteTokens: 0,
      outputTokens: 5,
      cachedTokens: 0,
      reasoningTokens: 0,
      costMicroUsd: 13.05,
    })
  })

  test('of reasoning alone is neither a crash nor text', async () => {
    const events = await played('reasoning_only')
    expect(text(events, 'thinking')).toBe('I have nothing to add.')
    expect(doneOf(events)).toMatchObject({ content: '', finish: 'stop', toolCalls: [] })
  })

  test('with nothing in it but a stop is given out as it is', async () => {
    expect(doneOf(await played('empty_stop'))).toMatchObject({ content: '', finish: 'stop' })
  })

  test('cut by an error after its length finish keeps that finish', async () => {
    expect(doneOf(await played('err_after_length')).finish).toBe('length')
  })
})

describe('tool calls', () => {
  const README = { name: 'read_file', arguments: '{"path":"README.md"}' }
  const PACKAGE = { name: 'read_file', arguments: '{"path":"package.json"}' }

  test.each<[ScenarioName, object[]]>([
    ['tool_single_fragments', [README]],
    ['tool_parallel_two', [README, PACKAGE]],
    ['tool_interleaved', [README, PACKAGE]],
    ['tool_same_index', [README, PACKAGE]],
    ['tool_no_index_no_id', [README, PACKAGE]],
    ['tool_empty_id', [README, PACKAGE]],
    ['tool_args_empty', [{ name: 'list_dir', arguments: '{}' }]],
    ['tool_args_missing', [{ name: 'read_file', arguments: '{}' }]],
    ['tool_args_object', [README]],
    ['tool_args_scalar', [{ name: 'read_file', arguments: '"abc"' }]],
    ['tool_args_bad_json', [{ name: 'read_file', arguments: '{"path": "READ' }]],
    ['tool_trailing_ws', [README]],
    ['tool_finish_stop', [README]],
    ['tool_finish_null', [README]],
    ['tool_unknown_name', [{ name: 'launch_rocket', arguments: '{}' }]],
    ['kimi_repeat_ids', [{ ...README, id: 'functions.read_file:0' }]],
    ['content_plus_tool', [README]],
  ])('of scenario %s come out as the model meant them', async (scenario, calls) => {
    const done = doneOf(await played(scenario))
    expect(done.toolCalls).toMatchObject(calls)
    expect(done.toolCalls).toHaveLength(calls.length)
    expect(done.finish).toBe('tool_calls')
    const ids = done.toolCalls.map((call) => call.id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).not.toContain('')
  })

  test('cut at the length limit are not offered as calls to run', async () => {
    expect(doneOf(await played('tool_trunc_length')).finish).toBe('length')
    const mislabelled = await ask({ scenario: 'tool_single_fragments', usage: { completionTokens: 1000 } })
    expect(doneOf(mislabelled).finish).toBe('length')
  })

  test('show while they are written', async () => {
    expect(text(await played('tool_single_fragments'), 'tool_use')).toBe(`read_file${README.arguments}`)
  })
})

describe('the next turn', () => {
  const again = async (scenario: ScenarioName) => {
    const { content, toolCalls, reasoning } = doneOf(await played(scenario))
    const call = toolCalls[0]
    await ask(
      { content: 'fine' },
      {
        messages: [
          { role: 'user', content: 'go' },
          { role: 'assistant', content, toolCalls, reasoning },
          { role: 'tool', toolCallId: call?.id ?? '', name: call?.name ?? '', content: 'text' },
        ],
      },
    )
    return fake.requests[1]?.body.messages ?? []
  }

  test('carries signed reasoning back as one item, byte for byte', async () => {
    const [, assistant] = await again('claude_signature')
    expect(assistant?.reasoning_details).toEqual([
      {
        type: 'reasoning.text',
        text: 'Let me look. ',
        format: 'anthropic-claude-v1',
        index: 0,
        signature: 'EqQB/+é=',
      },
    ])
  })

  test('carries encrypted reasoning back untouched', async () => {
    const [, assistant] = await again('gemini_encrypted')
    expect(assistant?.reasoning_details).toEqual([
      {
        type: 'reasoning.encrypted',
        data: 'AbC+/=',
        id: 'tool_read_file_x1',
        format: 'google-gemini-v1',
        index: 0,
      },
    ])
  })

  test('carries calls and results in the form providers accept', async () => {
    const messages = await again('tool_args_bad_json')
    expect(messages).toMatchObject([
      { role: 'user', content: 'go' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ type: 'function', function: { name: 'read_file', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: messages[1]?.tool_calls?.[0]?.id, content: 'text' },
    ])
  })

  test('goes to the same session with the output cap and without a second try', async () => {
    await failure(ask({ scenario: '503' }))
    expect(fake.requests).toHaveLength(1)
    expect(fake.requests[0]?.body).toMatchObject({
      model: 'deepseek/deepseek-chat',
      stream: true,
      max_tokens: 1000,
      session_id: 'run/spec/1',
    })
  })
})

describe('a stream that fails', () => {
  test.each<[ScenarioName, string, string, boolean]>([
    ['err_first_event', 'UNAVAILABLE', 'provider_unavailable', true],
    ['err_after_text', 'UNAVAILABLE', 'provider_unavailable', true],
    ['err_string_code', 'UNAVAILABLE', 'provider_failed', true],
    ['err_no_code', 'UNAVAILABLE', 'provider_failed', true],
    ['err_midstream_400', 'INVALID', 'context_length_exceeded', false],
    ['finish_error', 'UNAVAILABLE', 'provider_failed', true],
    ['eof_no_done_partial', 'UNAVAILABLE', 'provider_stream_incomplete', true],
    ['rst_mid_tool', 'UNAVAILABLE', 'provider_connection_lost', true],
    ['rst_before_text', 'UNAVAILABLE', 'provider_connection_lost', true],
    ['ok200_error_body', 'UNAVAILABLE', 'provider_unavailable', true],
    ['choice_error', 'RATE_LIMITED', 'provider_rate_limited', true],
  ])('as in %s is a %s %s, and may be billed', async (scenario, kind, code, retryable) => {
    const error = await failure(played(scenario))
    expect(error).toMatchObject({ kind, code, retryable, billed: 'unknown' })
  })

  test('still tells the usage that came with the error', async () => {
    fake.script(() => ({ scenario: 'err_with_usage' }))
    const seen: ModelEvent[] = []
    const run = (async () => {
      for await (const event of adapter().stream(request(), new AbortController().signal)) seen.push(event)
    })()
    await failure(run)
    expect(seen.at(-1)).toEqual({
      kind: 'usage',
      usage: { inputTokens: 10, outputTokens: 3, costMicroUsd: 0 },
    })
  })

  test('by keeping alive without saying anything is ended by the progress timer', async () => {
    fake.script(() => ({ scenario: 'stall_comments' }))
    const error = await failure(collect(adapter(150).stream(request(), new AbortController().signal)))
    expect(error).toMatchObject({ kind: 'TIMEOUT', code: 'provider_stalled', billed: 'unknown' })
    await fake.waitFor(([first]) => first?.abortedAt !== undefined)
  })
})

describe('aborting', () => {
  test('closes the connection at once and throws the reason', async () => {
    fake.script(() => ({ content: 'x'.repeat(400), chunks: 400, chunkDelayMs: 5 }))
    const controller = new AbortController()
    const reason = new Error('canceled by a person')
    const run = (async () => {
      for await (const event of adapter().stream(request(), controller.signal))
        if (event.kind === 'token') controller.abort(reason)
    })()
    await expect(run).rejects.toBe(reason)
    await fake.waitFor(([first]) => first?.abortedAt !== undefined, 2000)
    const [first] = fake.requests
    expect(first?.producedTokens).toBeLessThan(50)
    expect(first?.billedMicroUsd).toBeGreaterThan(0)
    const usage = await adapter().lookup?.(first?.id ?? '', new AbortController().signal)
    expect(usage?.costMicroUsd).toBe(first?.billedMicroUsd)
  })

  test('before the answer begins does the same', async () => {
    fake.script(() => ({ delayMs: 60_000 }))
    const controller = new AbortController()
    const run = collect(adapter().stream(request(), controller.signal))
    await fake.waitForRequests(1)
    controller.abort(new Error('enough'))
    await expect(run).rejects.toThrow('enough')
    await fake.waitFor(([first]) => first?.abortedAt !== undefined, 2000)
  })

  test('happens too when the listener leaves', async () => {
    fake.script(() => ({ content: 'x'.repeat(400), chunks: 400, chunkDelayMs: 5 }))
    for await (const event of adapter().stream(request(), new AbortController().signal))
      if (event.kind === 'token') break
    await fake.waitFor(([first]) => first?.abortedAt !== undefined, 2000)
  })
})

describe('looking a generation up', () => {
  test('answers undefined until the provider knows, then its figures', async () => {
    await played('usage_missing')
    const id = fake.requests[0]?.id ?? ''
    await fake.waitFor(([first]) => first?.finishedAt !== undefined)
    const look = () => adapter().lookup?.(id, new AbortController().signal)
    expect(await look()).toBeUndefined()
    expect(await look()).toBeUndefined()
    expect(await look()).toMatchObject({ costMicroUsd: fake.requests[0]?.billedMicroUsd })
  })
})

test('a persona’s own price is the adapter’s; any other is the table’s to know', () => {
  const price = (name: string, pricing?: { input: number; output: number }) =>
    adapter().price({ provider: 'openrouter', name, pricing })
  expect(price('openai/gpt-4o-mini', { input: 1, output: 2 })).toEqual({ input: 1, output: 2 })
  expect(price('openai/gpt-4o-mini')).toBeUndefined()
})
