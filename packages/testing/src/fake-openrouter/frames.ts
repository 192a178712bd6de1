import type { FakeToolCall, PlainReply } from './reply.ts'

/** One piece of the streamed body. `tokens`: completion tokens the provider has produced once it is sent. */
export type Frame =
  | { kind: 'comment' }
  | { kind: 'data'; data: Record<string, unknown>; costText?: string; tokens?: number }
  | { kind: 'done' }

/** A streamed tool-call fragment as it stands in `delta.tool_calls`. */
export type ToolDelta = Record<string, unknown>

/** How a reply is put into frames; each scenario changes a part of it. */
export interface Shape {
  leadComments: number
  /** Comment frames between the data frames too. */
  commentsBetween: boolean
  /** First chunk with `choices: []` and `debug`. */
  debugFirst: boolean
  /** Where the usage stands. `repeat`: after the finish, which is repeated beside it (seen on the wire in 2026). */
  usage: 'repeat' | 'empty_choices' | 'null_finish' | 'every_chunk' | 'on_finish' | 'none'
  /** The same thought a third time, as `reasoning_content`. */
  mirrored?: boolean
  toolDeltas: (calls: FakeToolCall[], n: number) => ToolDelta[]
  /** An error chunk in the place of what would follow. */
  error?: { after: 'nothing' | 'text' | 'finish'; chunk: Record<string, unknown>; done: boolean }
  /** What is left out at the end. */
  cut?: 'mid_text' | 'mid_tool' | 'done' | 'all_but_comments'
}

/** Everything the frames say that is not the reply's own. */
export interface Stamp {
  id: string
  created: number
  model: string
  provider: string
  n: number
  usage: Record<string, unknown>
  costText: string
  completionTokens: number
}

export const argumentsText = (call: FakeToolCall): string =>
  typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments)

export const callId = (call: FakeToolCall, n: number, index: number): string =>
  call.id ?? `call_${String(n).padStart(6, '0')}_${index}`

/** Id and name first, then the arguments in small fragments with an empty one among them, call after call. */
const splitDeltas: Shape['toolDeltas'] = (calls, n) =>
  calls.flatMap((call, index) => {
    const text = argumentsText(call)
    const size = Math.max(1, Math.ceil(text.length / 3))
    const pieces = text === '' ? [''] : (text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? [])
    return [
      { index, id: callId(call, n, index), type: 'function', function: { name: call.name, arguments: '' } },
      ...['', ...pieces].map((piece) => ({ index, function: { arguments: piece } })),
    ]
  })

export const PLAIN: Shape = {
  leadComments: 2,
  commentsBetween: false,
  debugFirst: false,
  usage: 'repeat',
  toolDeltas: splitDeltas,
}

/** Cuts by code points: a surrogate pair is never torn between two frames (bytes are another matter). */
function pieces(content: string, chunks: number | string[] | undefined): string[] {
  if (Array.isArray(chunks)) return chunks
  const points = [...content]
  if (points.length === 0) return []
  const count = Math.min(points.length, chunks ?? Math.min(8, Math.ceil(points.length / 12)))
  const size = points.length / count
  return Array.from({ length: count }, (_, index) =>
    points.slice(Math.round(index * size), Math.round((index + 1) * size)).join(''),
  )
}

/** Puts a reply into the frames of a streamed answer. */
export function composeFrames(reply: PlainReply, shape: Shape, stamp: Stamp): Frame[] {
  const { id, created, model, provider } = stamp
  const head = { id, object: 'chat.completion.chunk', created, model, provider }
  const chunk = (delta: Record<string, unknown>, finish: string | null, more = {}) => ({
    ...head,
    choices: [
      {
        index: 0,
        delta: { role: 'assistant', ...delta },
        finish_reason: finish,
        native_finish_reason: finish,
      },
    ],
    ...more,
  })

  const text = pieces(reply.content ?? '', reply.chunks)
  const calls = reply.toolCalls ?? []
  const deltas: Record<string, unknown>[] = [
    ...(reply.reasoningDetails ?? []).map((detail) => ({
      content: '',
      ...(hasText(detail) ? { reasoning: detail.text } : {}),
      reasoning_details: [detail],
    })),
    ...(reply.reasoning === undefined ? [] : reasoningDeltas(reply.reasoning, shape.mirrored === true)),
    ...text.map((piece) => ({ content: piece })),
    ...shape.toolDeltas(calls, stamp.n).map((fragment) => ({ content: null, tool_calls: [fragment] })),
  ]
  const body: Frame[] = deltas.map((delta, index) => ({
    kind: 'data',
    data: chunk(delta, null, shape.usage === 'every_chunk' ? { usage: null } : {}),
    tokens: Math.ceil((stamp.completionTokens * (index + 1)) / deltas.length),
  }))

  const finish = reply.finish === undefined ? (calls.length > 0 ? 'tool_calls' : 'stop') : reply.finish
  const usage = { usage: stamp.usage }
  const withCost = (data: Record<string, unknown>): Frame => ({
    kind: 'data',
    data,
    costText: stamp.costText,
    tokens: stamp.completionTokens,
  })
  const plainFinish: Frame = {
    kind: 'data',
    data: chunk({ content: '' }, finish),
    tokens: stamp.completionTokens,
  }
  const ends: Record<Shape['usage'], Frame[]> = {
    repeat: [plainFinish, withCost(chunk({ content: '' }, finish, usage))],
    empty_choices: [plainFinish, withCost({ ...head, choices: [], ...usage })],
    null_finish: [plainFinish, withCost(chunk({ content: '' }, null, usage))],
    every_chunk: [plainFinish, withCost(chunk({ content: '' }, finish, usage))],
    on_finish: [withCost(chunk({ content: '' }, finish, usage))],
    none: [plainFinish],
  }
  const end = ends[shape.usage]
  const lead: Frame[] = [
    ...Array.from({ length: shape.leadComments }, (): Frame => ({ kind: 'comment' })),
    ...(shape.debugFirst
      ? [{ kind: 'data', data: { ...head, choices: [], debug: { echo_upstream_body: {} } } } satisfies Frame]
      : []),
  ]
  const done: Frame = { kind: 'done' }
  const frames = [...lead, ...arrange()]
  return shape.commentsBetween
    ? frames.flatMap((frame) => [frame, { kind: 'comment' } satisfies Frame])
    : frames

  function arrange(): Frame[] {
    if (shape.error) {
      const before = { nothing: [], text: body, finish: [...body, plainFinish] }[shape.error.after]
      const error: Frame = { kind: 'data', data: { ...head, ...shape.error.chunk } }
      return shape.error.done ? [...before, error, done] : [...before, error]
    }
    if (shape.cut === 'all_but_comments') return []
    if (shape.cut === 'mid_text' || shape.cut === 'mid_tool')
      return body.slice(0, Math.max(1, body.length - 1))
    if (shape.cut === 'done') return [...body, ...end]
    return [...body, ...end, done]
  }
}

const hasText = (detail: unknown): detail is { text: string } =>
  typeof detail === 'object' && detail !== null && 'text' in detail && typeof detail.text === 'string'

/** The same text twice, as OpenRouter sends it. */
const reasoningDeltas = (text: string, mirrored: boolean) =>
  pieces(text, undefined).map((piece) => ({
    content: '',
    reasoning: piece,
    ...(mirrored ? { reasoning_content: piece } : {}),
    reasoning_details: [{ type: 'reasoning.text', text: piece, format: 'unknown', index: 0 }],
  }))
