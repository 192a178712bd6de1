import { type Frame, type ProviderCall, type ProviderReply, piecesOf } from '../fake-provider/reply.ts'
import type { ProviderRequest } from '../fake-provider/server.ts'

/** A request of chat completions, as far as the fake reads it. */
export interface ChatCompletionsBody {
  model: string
  messages: {
    role: string
    content: string | null
    reasoning_content?: string
    tool_call_id?: string
    tool_calls?: { id: string; function: { name: string; arguments: string } }[]
  }[]
  tools?: { function: { name: string } }[]
  max_tokens?: number
  max_completion_tokens?: number
  temperature?: number
  stream_options?: { include_usage?: boolean }
  [field: string]: unknown
}

/** The chunks of one reply: a role-only opener, deltas, the finish, the usage without choices, `[DONE]`. */
export function chatFrames(request: ProviderRequest<ChatCompletionsBody>, reply: ProviderReply): Frame[] {
  const { thinking = '', text = '', toolCalls = [], chunks = 3 } = reply
  const head = {
    id: request.id,
    object: 'chat.completion.chunk',
    created: Math.floor(request.at / 1000),
    model: request.body.model,
  }
  const frame = (part: Frame['part'], more: Record<string, unknown>): Frame => ({
    part,
    text: `data: ${JSON.stringify({ ...head, ...more })}\n\n`,
  })
  const delta = (part: Frame['part'], said: Record<string, unknown>, finish: string | null = null) =>
    frame(part, { choices: [{ index: 0, delta: said, logprobs: null, finish_reason: finish }] })
  const finish = reply.finish ?? (toolCalls.length > 0 ? 'tool_calls' : 'stop')
  return [
    delta('head', { role: 'assistant', content: '' }),
    ...piecesOf(thinking, 2).map((piece) => delta('end', { reasoning_content: piece })),
    ...piecesOf(text, chunks).map((piece) => delta('text', { content: piece })),
    ...fragments(request.n, toolCalls, reply.interleaved === true).map((fragment) =>
      delta('call', { tool_calls: [fragment] }),
    ),
    delta('end', {}, finish),
    ...(request.body.stream_options?.include_usage
      ? [frame('end', { choices: [], usage: usageOf(reply) })]
      : []),
    { part: 'end', text: 'data: [DONE]\n\n' },
  ]
}

function fragments(n: number, calls: ProviderCall[], interleaved: boolean): unknown[] {
  const each = calls.map((call, index) => {
    const text = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments)
    const opener = { name: call.name, arguments: '' }
    return [
      { index, id: call.id ?? `call_${n}_${index}`, type: 'function', function: opener },
      ...piecesOf(text, 3).map((piece) => ({ index, function: { arguments: piece } })),
    ]
  })
  if (!interleaved) return each.flat()
  const longest = Math.max(0, ...each.map((list) => list.length))
  return Array.from({ length: longest }, (_, at) => each.flatMap((list) => list[at] ?? [])).flat()
}

function usageOf({ usage }: ProviderReply): unknown {
  const { input = 10, output = 5, cached = 0, reasoning = 0 } = usage ?? {}
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: reasoning },
  }
}
