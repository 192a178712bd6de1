import { type Frame, type ProviderCall, type ProviderReply, piecesOf } from '../fake-provider/reply.ts'
import type { ProviderRequest } from '../fake-provider/server.ts'
import type { AnthropicBody } from './body.ts'

export const event = (type: string, data: Record<string, unknown>): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`

/** The events of one message, in the order the API sends them. */
export function framesOf(request: ProviderRequest<AnthropicBody>, reply: ProviderReply): Frame[] {
  const { thinking, seal, text = '', toolCalls = [] } = reply
  const frames: Frame[] = [
    { part: 'head', text: start(request, reply) },
    { part: 'head', text: event('ping', {}) },
  ]
  let index = 0
  if (thinking !== undefined || seal !== undefined) {
    const deltas = piecesOf(thinking ?? '', 2).map((piece) => ({ type: 'thinking_delta', thinking: piece }))
    const signed = [{ type: 'signature_delta', signature: seal ?? 'unsigned' }]
    const block = { type: 'thinking', thinking: '', signature: '' }
    frames.push(...blockOf('end', index, block, [...deltas, ...signed]))
    index += 1
  }
  if (text !== '') {
    const deltas = piecesOf(text, reply.chunks ?? 3).map((piece) => ({ type: 'text_delta', text: piece }))
    frames.push(...blockOf('text', index, { type: 'text', text: '' }, deltas))
    index += 1
  }
  frames.push(...calls(request, toolCalls, index, reply.interleaved === true))
  frames.push({ part: 'end', text: end(reply) }, { part: 'end', text: event('message_stop', {}) })
  return frames
}

function blockOf(
  part: Frame['part'],
  index: number,
  block: Record<string, unknown>,
  deltas: Record<string, unknown>[],
): Frame[] {
  return [
    { part: 'end', text: event('content_block_start', { index, content_block: block }) },
    ...deltas.map((delta) => ({ part, text: event('content_block_delta', { index, delta }) })),
    { part: 'end', text: event('content_block_stop', { index }) },
  ]
}

/** The first fragment of a call's input is empty; a call without input has no other. */
function calls(
  request: ProviderRequest<AnthropicBody>,
  all: ProviderCall[],
  first: number,
  interleaved: boolean,
): Frame[] {
  const blocks = all.map((call, position) => {
    const text = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments)
    const fragments = ['', ...piecesOf(text === '{}' ? '' : text, 3)]
    return blockOf(
      'call',
      first + position,
      { type: 'tool_use', id: call.id ?? `toolu_01fake${request.n}x${position}`, name: call.name, input: {} },
      fragments.map((fragment) => ({ type: 'input_json_delta', partial_json: fragment })),
    )
  })
  if (!interleaved) return blocks.flat()
  const longest = Math.max(0, ...blocks.map((block) => block.length))
  return Array.from({ length: longest }, (_, at) => blocks.flatMap((block) => block[at] ?? [])).flat()
}

const start = ({ id, body }: ProviderRequest<AnthropicBody>, { usage }: ProviderReply): string =>
  event('message_start', {
    message: {
      id,
      type: 'message',
      role: 'assistant',
      model: `${body.model}-20260101`,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      // Not zero, and not the last word: the delta at the end is cumulative.
      usage: { ...inputs(usage), output_tokens: 1, service_tier: 'standard' },
    },
  })

const end = ({ finish, toolCalls = [], usage }: ProviderReply): string =>
  event('message_delta', {
    delta: {
      stop_reason: finish ?? (toolCalls.length > 0 ? 'tool_use' : 'end_turn'),
      stop_sequence: null,
    },
    usage: {
      ...inputs(usage),
      output_tokens: usage?.output ?? 20,
      ...(usage?.reasoning === undefined
        ? {}
        : { output_tokens_details: { thinking_tokens: usage.reasoning } }),
    },
  })

/** What came from the cache or went into it is counted apart from `input_tokens`. */
const inputs = (usage: ProviderReply['usage']) => ({
  input_tokens: (usage?.input ?? 10) - (usage?.cached ?? 0) - (usage?.cacheWritten ?? 0),
  cache_creation_input_tokens: usage?.cacheWritten ?? 0,
  cache_read_input_tokens: usage?.cached ?? 0,
})
