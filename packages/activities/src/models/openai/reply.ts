import { InBandError } from '../in-band-error.ts'
import type { Finish, ModelEvent, ModelRequest, ToolCall } from '../model.ts'
import { ToolCallMerge } from '../tool-call-merge.ts'
import { type Item, parseEvent, type Response, responsesUsage } from './events.ts'
import { OrderedItem } from './output-order.ts'

/**
 * Gathers the events of one response. Items count as they were when they were done; the terminal event brings the
 * usage, and items that were never streamed.
 */
export class ResponsesReply {
  #content = ''
  #named = false
  #terminal: Response | undefined
  /** By `output_index`. */
  readonly #items = new Map<number, Item>()
  readonly #calls: ToolCallMerge

  constructor(request: ModelRequest) {
    this.#calls = new ToolCallMerge(request.turn)
  }

  get terminated(): boolean {
    return this.#terminal !== undefined
  }

  /** Throws an `InBandError` for a response that failed. */
  *take(data: string): Generator<ModelEvent> {
    // Said at the end of a body that is no event stream.
    if (data === '[DONE]') return
    const event = parseEvent(data)
    if (!this.#named && event.response?.id) {
      this.#named = true
      yield { kind: 'generation', id: event.response.id }
    }
    const { delta = '', output_index: index = undefined, item, response } = event
    switch (event.type) {
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        yield* this.#say(delta ?? '')
        return
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        if (delta) yield { kind: 'thinking', text: delta }
        return
      case 'response.output_item.added':
        if (item?.type === 'function_call')
          yield* this.#calls.add({ index, id: item.call_id, function: { name: item.name, arguments: '' } })
        return
      case 'response.function_call_arguments.delta':
        yield* this.#calls.add({ index, function: { arguments: delta } })
        return
      case 'response.output_item.done':
        if (item) this.#items.set(index ?? this.#items.size, item)
        return
      case 'response.completed':
      case 'response.incomplete':
        yield* this.#close(response ?? {})
        return
      case 'response.failed':
      case 'error':
        // What it says it used is worth knowing for a failed response too.
        if (response?.usage) yield { kind: 'usage', usage: responsesUsage(response.usage) }
        throw new InBandError(response?.error ?? event.error ?? event)
    }
  }

  *#say(text: string): Generator<ModelEvent> {
    if (text === '') return
    this.#content += text
    yield { kind: 'token', text }
  }

  /** Items that nobody streamed are taken from the whole. */
  *#close(response: Response): Generator<ModelEvent> {
    this.#terminal = response
    for (const [index, item] of (response.output ?? []).entries())
      if (!this.#items.has(index)) this.#items.set(index, item)
    if (this.#content === '')
      for (const item of this.#ordered())
        for (const part of item.content ?? [])
          if (item.type === 'message') yield* this.#say(part.text ?? part.refusal ?? '')
  }

  /** Undefined: the response broke off. */
  end(): Generator<ModelEvent> | undefined {
    return this.#terminal && this.#end(this.#terminal)
  }

  *#end(terminal: Response): Generator<ModelEvent> {
    if (terminal.usage) yield { kind: 'usage', usage: responsesUsage(terminal.usage) }
    const toolCalls = this.#toolCalls()
    const output = this.#ordered().flatMap((item) => {
      const ordered = OrderedItem.safeParse(item)
      return ordered.success ? [ordered.data] : []
    })
    yield {
      kind: 'done',
      finish: finishOf(terminal, toolCalls),
      content: this.#content,
      toolCalls,
      ...(output.some(({ type }) => type === 'reasoning') ? { reasoning: { output } } : {}),
      ...(terminal.model ? { modelUsed: terminal.model } : {}),
    }
  }

  #ordered(): Item[] {
    return [...this.#items].sort(([a], [b]) => a - b).map(([, item]) => item)
  }

  /** The calls of finished items; of a response that finished none, what was streamed of them. */
  #toolCalls(): ToolCall[] {
    const finished = this.#ordered().flatMap(({ type, call_id: id, name, arguments: text }) =>
      type === 'function_call' ? [{ id, function: { name, arguments: text } }] : [],
    )
    const streamed = this.#calls.finished()
    if (finished.length < streamed.length) return streamed
    const whole = new ToolCallMerge(0)
    for (const [index, call] of finished.entries()) whole.add({ index, ...call })
    return whole.finished()
  }
}

function finishOf(terminal: Response, calls: ToolCall[]): Finish {
  if (terminal.status === 'incomplete' || terminal.incomplete_details?.reason)
    return terminal.incomplete_details?.reason === 'content_filter' ? 'content_filter' : 'length'
  return calls.length > 0 ? 'tool_calls' : 'stop'
}
