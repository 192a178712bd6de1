import { type Frame, type ProviderCall, type ProviderReply, piecesOf } from '../fake-provider/reply.ts'
import type { ProviderRequest } from '../fake-provider/server.ts'
import type { ResponsesBody } from './responses-body.ts'

type Data = Record<string, unknown>
type Event = { part: Frame['part']; type: string; data: Data }

export const event = (type: string, data: Data): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`

/** The events of one response, in the API's order: the head, each item with its deltas, the terminal one. */
export function framesOf(request: ProviderRequest<ResponsesBody>, reply: ProviderReply): Frame[] {
  const items = itemsOf(request, reply)
  const streams = items.map((item, index) => item.events(index))
  // Calls may be written in turn; what comes before them is not.
  const calls = streams.slice(items.findIndex(({ item }) => item.type === 'function_call'))
  const told =
    reply.interleaved && calls.length > 1
      ? [...streams.slice(0, streams.length - calls.length).flat(), ...inTurn(calls)]
      : streams.flat()
  const response = responseOf(request)
  const events: Event[] = [
    { part: 'head', type: 'response.created', data: { response } },
    { part: 'head', type: 'response.in_progress', data: { response } },
    ...told,
    terminal(
      request,
      reply,
      items.map(({ item }) => item),
    ),
  ]
  return events.map(({ part, type, data }, sequence_number) => ({
    part,
    text: event(type, { sequence_number, ...data }),
  }))
}

interface Item {
  item: Data
  events(index: number): Event[]
}

function itemsOf({ n }: ProviderRequest<ResponsesBody>, reply: ProviderReply): Item[] {
  const { thinking, seal, text = '', toolCalls = [], chunks = 3 } = reply
  const items: Item[] = []
  if (thinking !== undefined || seal !== undefined) items.push(reasoning(`rs_${n}`, thinking ?? '', seal))
  if (text !== '') items.push(message(`msg_${n}`, text, chunks))
  return [...items, ...toolCalls.map((call, at) => functionCall(`fc_${n}_${at}`, call))]
}

function reasoning(id: string, thinking: string, seal: string | undefined): Item {
  const summary = thinking === '' ? [] : [{ type: 'summary_text', text: thinking }]
  const item = { type: 'reasoning', id, summary, encrypted_content: seal ?? 'unsealed' }
  return {
    item,
    events: (output_index) => [
      // What is encrypted at first is not yet the whole.
      added(output_index, { ...item, summary: [], encrypted_content: `${item.encrypted_content}…` }),
      ...piecesOf(thinking, 2).map((delta) => ({
        part: 'end' as const,
        type: 'response.reasoning_summary_text.delta',
        data: { item_id: id, output_index, summary_index: 0, delta, obfuscation: 'x7' },
      })),
      done(output_index, item),
    ],
  }
}

function message(id: string, text: string, chunks: number): Item {
  const content = [{ type: 'output_text', text, annotations: [], logprobs: [] }]
  const item = { type: 'message', id, role: 'assistant', status: 'completed', content }
  return {
    item,
    events: (output_index) => [
      added(output_index, { ...item, status: 'in_progress', content: [] }),
      ...piecesOf(text, chunks).map((delta) => ({
        part: 'text' as const,
        type: 'response.output_text.delta',
        data: { item_id: id, output_index, content_index: 0, delta, logprobs: [], obfuscation: 'k2Jd' },
      })),
      {
        part: 'end',
        type: 'response.output_text.done',
        data: { item_id: id, output_index, content_index: 0, text },
      },
      done(output_index, item),
    ],
  }
}

function functionCall(id: string, call: ProviderCall): Item {
  const text = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments)
  const item = {
    type: 'function_call',
    id,
    call_id: call.id ?? `call_${id}`,
    name: call.name,
    arguments: text,
    status: 'completed',
  }
  return {
    item,
    events: (output_index) => [
      added(output_index, { ...item, arguments: '', status: 'in_progress' }),
      ...piecesOf(text, 3).map((delta) => ({
        part: 'call' as const,
        type: 'response.function_call_arguments.delta',
        data: { item_id: id, output_index, delta, obfuscation: 'Qe' },
      })),
      {
        part: 'end',
        type: 'response.function_call_arguments.done',
        data: { item_id: id, output_index, arguments: text },
      },
      done(output_index, item),
    ],
  }
}

const added = (output_index: number, item: Data): Event => ({
  part: 'end',
  type: 'response.output_item.added',
  data: { output_index, item },
})
const done = (output_index: number, item: Data): Event => ({
  part: 'end',
  type: 'response.output_item.done',
  data: { output_index, item },
})

function inTurn(streams: Event[][]): Event[] {
  const longest = Math.max(...streams.map((events) => events.length))
  return Array.from({ length: longest }, (_, at) => streams.flatMap((events) => events[at] ?? [])).flat()
}

function terminal(request: ProviderRequest<ResponsesBody>, reply: ProviderReply, output: Data[]): Event {
  const { input = 10, output: made = 5, cached = 0, cacheWritten = 0, reasoning = 0 } = reply.usage ?? {}
  const usage = {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached, cache_write_tokens: cacheWritten },
    output_tokens: made,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + made,
  }
  const cut = reply.finish !== undefined
  const response = {
    ...responseOf(request),
    status: cut ? 'incomplete' : 'completed',
    incomplete_details: cut ? { reason: reply.finish } : null,
    output,
    usage,
  }
  return { part: 'end', type: cut ? 'response.incomplete' : 'response.completed', data: { response } }
}

/** The response as its first events show it. */
const responseOf = ({ id, body, at }: ProviderRequest<ResponsesBody>): Data => ({
  id,
  object: 'response',
  created_at: Math.floor(at / 1000),
  status: 'in_progress',
  error: null,
  incomplete_details: null,
  model: `${body.model}-2026-01-15`,
  output: [],
  usage: null,
  store: body.store ?? true,
})
