import { startFakeOllama } from '@devflow/testing'
import { describe, expect, test, vi } from 'vitest'
import { AskedProvider } from '../conformance/asked-provider.fixture.ts'
import { collect, doneOf, failureOf, textOf, usageOf } from '../conformance/harness.fixture.ts'
import type { Message } from '../model.ts'
import { ollamaModel } from './index.ts'

const MODEL = 'qwen3'

const provider = new AskedProvider({
  start: startFakeOllama,
  adapter: ({ baseURL }, contextTokens?: number) => ollamaModel({ host: baseURL, contextTokens }),
  request: { model: { provider: 'ollama', name: MODEL }, messages: [{ role: 'user', content: 'Go.' }] },
})
const { ask, lastBody } = provider

const line = (data: Record<string, unknown>) => `${JSON.stringify({ model: MODEL, ...data })}\n`
const done = (more: Record<string, unknown> = {}) => line({ done: true, done_reason: 'stop', ...more })

describe('usage', () => {
  test.each([
    ['as it is said', { prompt_eval_count: 20, eval_count: 5 }, [{ inputTokens: 20, outputTokens: 5 }]],
    ['a count of zero is left out', { eval_count: 5 }, [{ inputTokens: 0, outputTokens: 5 }]],
    [
      'cached tokens are among the prompt’s',
      { prompt_eval_count: 20, eval_count: 5, prompt_eval_cached_count: 16 },
      [{ inputTokens: 20, outputTokens: 5, cachedTokens: 16 }],
    ],
    ['nothing said is not zero', {}, []],
  ])('%s', async (_, counts, expected) => {
    expect(usageOf(await ask({ frames: [done(counts)] }))).toEqual(expected)
  })

  test('costs nothing, unless the persona has a price', () => {
    const { price } = ollamaModel()
    expect(price({ provider: 'ollama', name: MODEL })).toEqual({ input: 0, output: 0 })
    expect(price({ provider: 'ollama', name: MODEL, pricing: { input: 1, output: 2 } })).toEqual({
      input: 1,
      output: 2,
    })
  })
})

describe('calls', () => {
  const call = (name: string, args: unknown, more: Record<string, unknown> = {}) => ({
    function: { name, arguments: args, ...more },
  })

  test.each([
    ['an object', { path: 'a' }],
    ['a text', '{"path":"a"}'],
  ])('have arguments, be they %s', async (_, args) => {
    const frames = [line({ message: { tool_calls: [call('read_file', args)] }, done: false }), done()]
    const { toolCalls, finish } = doneOf(await ask({ frames }))
    expect(finish).toBe('tool_calls')
    expect(toolCalls).toEqual([{ id: 'call_4_0', name: 'read_file', arguments: '{"path":"a"}' }])
  })

  test('at one index in several lines are several', async () => {
    const frames = ['a', 'b'].map((path) =>
      line({
        message: { content: '', tool_calls: [call('read_file', { path }, { index: 0 })] },
        done: false,
      }),
    )
    const events = await ask({ frames: [...frames, done()] })
    expect(doneOf(events).toolCalls.map(({ arguments: text }) => text)).toEqual([
      '{"path":"a"}',
      '{"path":"b"}',
    ])
  })

  test('go back as objects, their results in their order and by the tool’s name', async () => {
    const messages: Message[] = [
      { role: 'user', content: 'Go.' },
      {
        role: 'assistant',
        content: '',
        toolCalls: [
          { id: 'call_1_0', name: 'read_file', arguments: '{"path":"a"}' },
          { id: 'call_1_1', name: 'list_dir', arguments: 'no JSON' },
        ],
      },
      { role: 'tool', toolCallId: 'call_1_1', name: 'list_dir', content: 'B' },
      { role: 'tool', toolCallId: 'call_1_0', name: 'read_file', content: 'A' },
    ]
    await ask({ text: 'Fine.' }, { messages })
    expect(lastBody().messages.slice(1)).toEqual([
      {
        role: 'assistant',
        content: '',
        tool_calls: [
          { function: { name: 'read_file', arguments: { path: 'a' } } },
          { function: { name: 'list_dir', arguments: {} } },
        ],
      },
      { role: 'tool', tool_name: 'read_file', content: 'A' },
      { role: 'tool', tool_name: 'list_dir', content: 'B' },
    ])
  })
})

test('thinking is told apart and goes back to the model that had it', async () => {
  const events = await ask({ thinking: 'Let me see.', text: 'Ok.' })
  expect(textOf(events, 'thinking')).toBe('Let me see.')
  const { content, toolCalls, reasoning } = doneOf(events)
  const messages: Message[] = [
    { role: 'user', content: 'Go.' },
    { role: 'assistant', content, toolCalls, reasoning },
    { role: 'user', content: 'On.' },
  ]
  await ask({ text: 'Fine.' }, { messages })
  expect(lastBody().messages[1]).toEqual({ role: 'assistant', content: 'Ok.', thinking: 'Let me see.' })
  await ask({ text: 'Fine.' }, { messages, model: { provider: 'ollama', name: 'llama3' } })
  expect(lastBody().messages[1]).toEqual({ role: 'assistant', content: 'Ok.' })
})

test('a conversation that does not fit is to be refused, not cut', async () => {
  await ask({ text: 'Fine.' }, {}, 32_768)
  expect(lastBody()).toMatchObject({
    truncate: false,
    shift: false,
    options: { num_ctx: 32_768, num_predict: 1000 },
  })
  await ask({ text: 'Fine.' })
  expect(lastBody().options).not.toHaveProperty('num_ctx')
})

describe('a body', () => {
  test('torn into single bytes is the same', async () => {
    expect(doneOf(await ask({ text: 'Hello 👋.', flaw: 'torn' })).content).toBe('Hello 👋.')
  })

  test('may have blank lines, and a last one without its end', async () => {
    const frames = ['\n', line({ message: { content: 'Hi.' }, done: false }), '\n', done().trimEnd()]
    expect(doneOf(await ask({ frames })).content).toBe('Hi.')
  })

  test('with a line that is no JSON is no answer, and is not printed', async () => {
    const printed = [vi.spyOn(console, 'warn'), vi.spyOn(console, 'log')]
    try {
      const failure = await failureOf(ask({ frames: ['{"message":{"content":"secr\n', done()] }))
      expect(failure).toMatchObject({ code: 'provider_invalid_response', retryable: true })
      await failureOf(ask({ error: { status: 502, body: '<html>no</html>' } }))
      for (const print of printed) expect(print).not.toHaveBeenCalled()
    } finally {
      for (const print of printed) print.mockRestore()
    }
  })

  test('whose connection stays open is given out at once', async () => {
    expect(doneOf(await ask({ text: 'All.', flaw: 'lingers' })).content).toBe('All.')
    await provider.fake.waitFor(([first]) => first?.abortedAt !== undefined, 5_000)
  })
})

test('a server that is not there is named, with where to say it', async () => {
  const { baseURL } = provider.fake
  const stream = provider.adapter().stream(provider.request(), new AbortController().signal)
  await provider.leave()
  const failure = await failureOf(collect(stream))
  expect(failure).toMatchObject({ code: 'provider_unreachable', billed: 'no' })
  expect(failure.message).toContain(baseURL)
  expect(failure.message).toContain('OLLAMA_HOST')
})
