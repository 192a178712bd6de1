import { growingSum } from '../growing-sum.ts'
import { delay } from './abortable-delay.ts'
import type { Message, ModelEvent, ModelUsage, ToolCall } from './model.ts'

/** A reply known in advance, to be streamed as a provider would. */
export interface PlayedReply {
  thinking?: string
  content: string
  toolCalls: ToolCall[]
  usage: ModelUsage
  modelUsed: string
  finish?: 'stop' | 'length' | 'tool_calls' | 'content_filter'
  /** Pieces the content is cut into. Default: a piece a line or 80 characters. */
  chunks?: number
  delayMs?: number
  chunkDelayMs?: number
}

/** Streams a known reply. Abortable between any two events; the iterator then throws the signal's reason. */
export async function* playReply(reply: PlayedReply, signal: AbortSignal): AsyncGenerator<ModelEvent> {
  await delay(reply.delayMs ?? 0, signal)
  const events: ModelEvent[] = [
    ...(reply.thinking ? pieces(reply.thinking).map((text) => ({ kind: 'thinking' as const, text })) : []),
    ...pieces(reply.content, reply.chunks).map((text) => ({ kind: 'token' as const, text })),
    ...reply.toolCalls.flatMap((call) => {
      const [first = '', ...others] = pieces(call.arguments, reply.chunks)
      return [call.name + first, ...others].map((text) => ({ kind: 'tool_use' as const, text }))
    }),
  ]
  const began = performance.now()
  for (const [index, event] of events.entries()) {
    // Due by the clock, not so long after the last one: a busy process finds late pieces together, as on a socket.
    await delay(began + index * (reply.chunkDelayMs ?? 0) - performance.now(), signal)
    yield event
  }
  signal.throwIfAborted()
  yield { kind: 'usage', usage: reply.usage }
  yield {
    kind: 'done',
    finish: reply.finish ?? (reply.toolCalls.length > 0 ? 'tool_calls' : 'stop'),
    content: reply.content,
    toolCalls: reply.toolCalls,
    modelUsed: reply.modelUsed,
  }
}

/** Even pieces that never tear a character in two. */
function pieces(text: string, count?: number): string[] {
  if (text === '') return []
  const characters = [...text]
  const pieceCount = Math.min(characters.length, count ?? Math.ceil(characters.length / 80))
  const size = characters.length / pieceCount
  return Array.from({ length: pieceCount }, (_, index) =>
    characters.slice(Math.round(index * size), Math.round((index + 1) * size)).join(''),
  )
}

/** A rough count where no tokenizer is at hand: four characters a token. */
export const estimateTokens = (text: string): number => Math.ceil(text.length / 4)

const charactersOf = growingSum((message: Message) => {
  const calls = message.role === 'assistant' ? message.toolCalls : []
  return message.content.length + calls.reduce((total, call) => total + call.arguments.length, 0)
})

/** The same for a conversation, without writing it out. */
export const estimateInput = (messages: readonly Message[]): number => Math.ceil(charactersOf(messages) / 4)
