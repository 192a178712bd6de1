import {
  type FakeOpenRouter,
  type FakeReply,
  type RecordedRequest,
  type ScenarioName,
  startFakeOpenRouter,
} from '@devflow/testing'
import { openRouterModel } from '../openrouter.ts'
import { pieces } from './harness.fixture.ts'
import type { Flaw, Play, Reply, Seen, StandIn } from './subject.fixture.ts'
import { conforms } from './suite.fixture.ts'

const FLAWS: Record<Flaw, ScenarioName> = {
  error_first: 'err_first_event',
  error_after_text: 'err_after_text',
  ends_in_text: 'eof_no_done_partial',
  breaks_in_call: 'rst_mid_tool',
  stalls: 'stall_comments',
}

conforms({
  name: 'openrouter',
  model: { provider: 'openrouter', name: 'deepseek/deepseek-chat' },
  keyVariable: 'OPENROUTER_API_KEY',
  lacks: {},
  start: async () => standIn(await startFakeOpenRouter()),
})

function standIn(fake: FakeOpenRouter): StandIn {
  return {
    adapter: ({ apiKey, stallMs }) =>
      openRouterModel({ apiKey, baseURL: fake.baseURL, progressTimeoutMs: stallMs }),
    play: (play) => fake.script(() => said(play)),
    get requests() {
      return fake.requests.map(seen)
    },
    waitFor: (holds, timeoutMs) => fake.waitFor((requests) => holds(requests.map(seen)), timeoutMs),
    close: () => fake.close(),
  }
}

function said(play: Play): FakeReply {
  if ('status' in play) {
    const { status, message = 'no', retryAfter, body = { error: { code: status, message } } } = play
    return {
      error: { status, body, headers: retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) } },
    }
  }
  const { reply, flaw, ...times } = play
  const scenario = flaw ? FLAWS[flaw] : reply.interleaved ? 'tool_interleaved' : undefined
  return { ...times, ...plain(reply), scenario }
}

function plain({ thinking, seal, text = '', chunks, toolCalls, cutAtLimit, usage }: Reply): FakeReply {
  return {
    content: text,
    ...(chunks ? { chunks: pieces(text, chunks) } : {}),
    ...(toolCalls ? { toolCalls } : {}),
    ...(thinking !== undefined && seal === undefined ? { reasoning: thinking } : {}),
    ...(seal === undefined
      ? {}
      : {
          reasoningDetails: [
            { type: 'reasoning.text', text: thinking, index: 0 },
            { type: 'reasoning.text', signature: seal, index: 0 },
          ],
        }),
    ...(cutAtLimit ? { finish: 'length' } : {}),
    ...(usage
      ? {
          usage: {
            promptTokens: usage.input,
            completionTokens: usage.output,
            cachedTokens: usage.cached ?? 0,
            reasoningTokens: usage.reasoning ?? 0,
          },
        }
      : {}),
  }
}

function seen({ id, body, sentBytes, billedMicroUsd, abortedAt, finishedAt }: RecordedRequest): Seen {
  const { messages } = body
  return {
    model: body.model,
    maxOutputTokens: body.max_tokens,
    temperature: body.temperature as number | undefined,
    tools: (body.tools ?? []).map((tool) => tool.function.name),
    toolResults: messages.flatMap(({ role, tool_call_id: call = '', content }) =>
      role === 'tool' ? [{ id: call, content: content ?? '' }] : [],
    ),
    toolCalls: messages.flatMap(({ tool_calls: calls = [] }) =>
      calls.map((call) => ({
        id: call.id,
        name: call.function.name,
        arguments: JSON.parse(call.function.arguments) as unknown,
      })),
    ),
    seals: messages.flatMap(({ reasoning_details: details = [] }) =>
      (details as { signature?: string }[]).flatMap(({ signature }) => signature ?? []),
    ),
    body,
    generationId: id,
    sentBytes,
    billedMicroUsd,
    ...(abortedAt === undefined ? {} : { abortedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
  }
}
