import { expect, test } from 'vitest'
import type { ModelAdapter, ModelEvent, ModelRequest } from '../model.ts'
import { offlineModel } from '../offline.ts'
import { scriptedModel } from '../scripted.ts'
import { collect, READ_FILE, wellFormed } from './harness.fixture.ts'
import type { Play, Seen, StandIn } from './subject.fixture.ts'
import { conforms } from './suite.fixture.ts'

/** Models that run in the worker itself: nothing is sent, so there is no server to refuse or break off. */
const HERE = 'it runs in the worker'

conforms({
  name: 'scripted',
  model: { provider: 'scripted', name: 'player' },
  lacks: {
    server: HERE,
    key: HERE,
    generation: HERE,
    payment: HERE,
    seal: 'a script has nothing to hide',
    fragments: 'calls of a script are short',
    cached_tokens: HERE,
    reasoning_tokens: HERE,
  },
  start: async () => scriptedStandIn(),
})

/** Each `play` becomes the persona's script; what was asked is noted on the way. */
function scriptedStandIn(): StandIn {
  const requests: Seen[] = []
  let script: object = {}
  const inner = scriptedModel()
  async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    signal.throwIfAborted()
    const seen = seenIn(request)
    requests.push(seen)
    const played = { turns: [script] } as ModelRequest['model']['script']
    try {
      yield* inner.stream({ ...request, model: { ...request.model, script: played } }, signal)
      seen.finishedAt = Date.now()
    } finally {
      if (seen.finishedAt === undefined) seen.abortedAt = Date.now()
    }
  }
  return {
    adapter: (): ModelAdapter => ({ ...inner, stream }),
    play: (play) => {
      script = scriptOf(play)
    },
    requests,
    waitFor: (holds) => expect.poll(() => holds(requests), { interval: 5 }).toBe(true),
    close: async () => {},
  }
}

function scriptOf(play: Play): object {
  if ('status' in play) throw new Error('a script has no statuses')
  const { text, thinking, chunks, toolCalls, cutAtLimit, usage } = play.reply
  return {
    ...(text === undefined ? {} : { reply: text }),
    ...(thinking === undefined ? {} : { thinking }),
    ...(chunks === undefined ? {} : { chunks }),
    ...(toolCalls ? { toolCalls } : {}),
    ...(cutAtLimit ? { finish: 'length' } : {}),
    ...(usage ? { usage: { inputTokens: usage.input, outputTokens: usage.output } } : {}),
    ...(play.delayMs === undefined ? {} : { delayMs: play.delayMs }),
    ...(play.chunkDelayMs === undefined ? {} : { chunkDelayMs: play.chunkDelayMs }),
  }
}

function seenIn({ model, messages, tools, maxOutputTokens }: ModelRequest): Seen {
  return {
    model: model.name,
    maxOutputTokens,
    temperature: model.temperature,
    tools: tools.map(({ name }) => name),
    toolResults: messages.flatMap((message) =>
      message.role === 'tool' ? [{ id: message.toolCallId, content: message.content }] : [],
    ),
    toolCalls: messages.flatMap((message) =>
      message.role === 'assistant'
        ? message.toolCalls.map((call) => ({ ...call, arguments: JSON.parse(call.arguments) as unknown }))
        : [],
    ),
    seals: [],
    body: messages,
    generationId: undefined,
    sentBytes: 0,
    billedMicroUsd: 0,
  }
}

// Nobody tells the rule-based model what to say: it is held to what holds for every stream.
const offline = (signal = new AbortController().signal) =>
  offlineModel().stream(
    {
      model: { provider: 'offline', name: 'rules' },
      messages: [{ role: 'user', content: 'Write a note.' }],
      tools: [READ_FILE],
      maxOutputTokens: 1000,
      sessionId: 'run/spec/1',
      phase: 'spec',
      attempt: 1,
      turn: 1,
    },
    signal,
  )

test('offline: a reply is well formed, and costs nothing', async () => {
  const events = await collect(offline())
  wellFormed(events)
  expect(events.at(-2)).toMatchObject({ kind: 'usage', usage: { costMicroUsd: 0 } })
})

test('offline: a stream that is aborted throws the reason', async () => {
  const controller = new AbortController()
  const run = (async () => {
    for await (const _ of offline(controller.signal)) controller.abort(new Error('enough'))
  })()
  await expect(run).rejects.toThrow('enough')
  await expect(collect(offline(controller.signal))).rejects.toThrow('enough')
})
