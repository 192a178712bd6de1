import { expect, test } from 'vitest'
import { ModelError, type ModelEvent, type ModelRequest } from './model.ts'
import { scriptedModel } from './scripted.ts'

const request = (script: unknown, more: Partial<ModelRequest> = {}): ModelRequest => ({
  model: { provider: 'scripted', name: 'scripted/test', script: script as never },
  messages: [{ role: 'user', content: 'go' }],
  tools: [],
  maxOutputTokens: 100,
  sessionId: 's',
  phase: 'review',
  attempt: 1,
  turn: 1,
  ...more,
})

async function play(given: ModelRequest, signal = new AbortController().signal): Promise<ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of scriptedModel().stream(given, signal)) events.push(event)
  return events
}

const said = async (given: ModelRequest) => {
  const done = (await play(given)).at(-1)
  return done?.kind === 'done' ? done.content : undefined
}

test('turn n says what the script holds for it, and the last turn answers all that follow', async () => {
  const script = { turns: [{ reply: 'one' }, { reply: 'two' }] }
  expect(await said(request(script))).toBe('one')
  expect(await said(request(script, { turn: 2 }))).toBe('two')
  expect(await said(request(script, { turn: 9 }))).toBe('two')
})

test('a phase may have turns of its own, and turns for each attempt', async () => {
  const script = {
    turns: [{ reply: 'any' }],
    phases: {
      spec: [{ reply: 'spec' }],
      review: { attempts: [[{ reply: 'first' }], [{ reply: 'second' }]] },
    },
  }
  expect(await said(request(script, { phase: 'spec' }))).toBe('spec')
  expect(await said(request(script, { phase: 'verify' }))).toBe('any')
  expect(await said(request(script))).toBe('first')
  expect(await said(request(script, { attempt: 3 }))).toBe('second')
})

test('a turn streams its thinking, its text in pieces and its calls, and costs nothing', async () => {
  const script = {
    turns: [
      {
        thinking: 'hm',
        reply: 'héllo wörld',
        chunks: 3,
        toolCalls: [
          { name: 'read_file', arguments: { path: 'a' } },
          { name: 'x', arguments: '{"broken' },
        ],
        usage: { inputTokens: 10, outputTokens: 5 },
      },
    ],
  }
  const events = await play(request(script))
  expect(events.filter(({ kind }) => kind === 'token')).toHaveLength(3)
  expect(events.map((event) => (event.kind === 'token' ? event.text : '')).join('')).toBe('héllo wörld')
  expect(events.at(-2)).toEqual({
    kind: 'usage',
    usage: { inputTokens: 10, outputTokens: 5, costMicroUsd: 0 },
  })
  expect(events.at(-1)).toMatchObject({
    kind: 'done',
    finish: 'tool_calls',
    toolCalls: [
      { id: 'call_1_0', name: 'read_file', arguments: '{"path":"a"}' },
      { id: 'call_1_1', name: 'x', arguments: '{"broken' },
    ],
  })
})

test('a failing turn streams what it has and then throws the error it names', async () => {
  const script = {
    turns: [{ reply: 'partial', error: { code: 'overloaded', message: 'busy', retryable: true } }],
  }
  const events: ModelEvent[] = []
  const run = (async () => {
    for await (const event of scriptedModel().stream(request(script), new AbortController().signal))
      events.push(event)
  })()
  await expect(run).rejects.toMatchObject({
    name: 'ModelError',
    kind: 'UNAVAILABLE',
    code: 'overloaded',
    retryable: true,
    billed: 'no',
  })
  expect(events).toEqual([{ kind: 'token', text: 'partial' }])
})

test('delays end at once when the call is aborted', async () => {
  const controller = new AbortController()
  const run = play(request({ turns: [{ reply: 'late', delayMs: 60_000 }] }), controller.signal)
  controller.abort(new Error('stop'))
  await expect(run).rejects.toThrow('stop')
})

test.each([
  [undefined, /model\.script/],
  [{}, /turns or phases/],
  [{ turns: [] }, /turns/],
  [{ turns: [{ replay: 'typo' }] }, /replay/],
  [{ phases: { other: [{ reply: 'x' }] } }, /no turns for phase review/],
])('a script like %j is refused with its reason', async (script, reason) => {
  const error = await play(request(script)).catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(ModelError)
  expect(error).toMatchObject({ kind: 'INVALID', code: 'invalid_script', retryable: false })
  expect(String(error)).toMatch(reason)
})
