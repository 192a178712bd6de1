import type {
  MessageDeltaUsage,
  RawContentBlockDelta,
  RawContentBlockStartEvent,
  RawMessageStreamEvent,
  StopReason,
  Usage,
} from '@anthropic-ai/sdk/resources/messages'
import type { Finish, ModelEvent, ModelRequest, ModelUsage } from '../model.ts'
import { modelError, verdict } from '../provider-failure.ts'
import { ToolCallMerge } from '../tool-call-merge.ts'
import { known } from '../usage-fields.ts'
import { type Part, thinkingOf } from './thinking.ts'

type Counts = Partial<Record<keyof (Usage & MessageDeltaUsage), unknown>>

/** A content block under way, by its index. */
type Block =
  | { type: 'text'; text: string }
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'redacted_thinking'; data: string }
  | { type: 'call' }
  | { type: 'other' }

/** Gathers the events of one message. */
export class AnthropicReply {
  readonly #blocks = new Map<number, Block>()
  readonly #calls: ToolCallMerge
  readonly #model: string
  #modelUsed: string | undefined
  #stop: StopReason | undefined
  #stopped = false
  #counts: Counts = {}

  constructor({ turn, model }: ModelRequest) {
    this.#calls = new ToolCallMerge(turn)
    this.#model = model.name
  }

  /** The event just taken was the last one. */
  get stopped(): boolean {
    return this.#stopped
  }

  *take(event: RawMessageStreamEvent): Generator<ModelEvent> {
    switch (event.type) {
      case 'message_start':
        this.#modelUsed = event.message.model
        this.#count(event.message.usage)
        yield { kind: 'generation', id: event.message.id }
        break
      case 'content_block_start':
        yield* this.#open(event)
        break
      case 'content_block_delta':
        yield* this.#add(event.index, event.delta)
        break
      case 'message_delta':
        this.#stop = event.delta.stop_reason ?? this.#stop
        this.#count(event.usage)
        break
      case 'message_stop':
        this.#stopped = true
        break
    }
  }

  *#open({ index, content_block: block }: RawContentBlockStartEvent): Generator<ModelEvent> {
    switch (block.type) {
      case 'text':
        this.#blocks.set(index, { type: 'text', text: '' })
        if (block.text) yield* this.#add(index, { type: 'text_delta', text: block.text })
        break
      case 'thinking':
        this.#blocks.set(index, { type: 'thinking', thinking: '', signature: block.signature ?? '' })
        if (block.thinking) yield* this.#add(index, { type: 'thinking_delta', thinking: block.thinking })
        break
      case 'redacted_thinking':
        this.#blocks.set(index, { type: 'redacted_thinking', data: block.data })
        break
      case 'tool_use':
        this.#blocks.set(index, { type: 'call' })
        // Some servers that speak this language send the whole input at once.
        yield* this.#calls.add({
          index,
          id: block.id,
          function: {
            name: block.name,
            arguments: Object.keys(block.input ?? {}).length > 0 ? block.input : null,
          },
        })
        break
      default:
        this.#blocks.set(index, { type: 'other' })
    }
  }

  *#add(index: number, delta: RawContentBlockDelta): Generator<ModelEvent> {
    const block = this.#blocks.get(index)
    if (delta.type === 'text_delta' && block?.type === 'text') {
      block.text += delta.text
      if (delta.text !== '') yield { kind: 'token', text: delta.text }
    } else if (delta.type === 'thinking_delta' && block?.type === 'thinking') {
      block.thinking += delta.thinking
      if (delta.thinking !== '') yield { kind: 'thinking', text: delta.thinking }
    } else if (delta.type === 'signature_delta' && block?.type === 'thinking')
      block.signature += delta.signature
    else if (delta.type === 'input_json_delta' && block?.type === 'call')
      yield* this.#calls.add({ index, function: { arguments: delta.partial_json } })
  }

  /** The counts of an event are cumulative: the last one that is said wins, none is added. */
  #count(usage: Counts | null | undefined): void {
    for (const [name, value] of Object.entries(usage ?? {}))
      if (value !== null && value !== undefined) this.#counts[name as keyof Counts] = value
  }

  /** The rest of the reply; undefined where it never came to its end. */
  end(): Iterable<ModelEvent> | undefined {
    return this.#stop === undefined ? undefined : this.#finished(this.#stop)
  }

  *#finished(stop: StopReason): Generator<ModelEvent> {
    const usage = usageOf(this.#counts)
    if (Object.keys(usage).length > 0) yield { kind: 'usage', usage }
    // Only tools that run at the provider pause a turn, and we offer none: half an answer is no answer.
    if (stop === 'pause_turn')
      throw modelError(
        verdict('UNAVAILABLE', 'provider_paused_turn', true),
        'the provider paused its turn in the middle',
        { billed: 'unknown' },
      )
    const blocks = [...this.#blocks].sort(([a], [b]) => a - b).map(([, block]) => block)
    const content = blocks.map((block) => (block.type === 'text' ? block.text : '')).join('')
    const toolCalls = this.#calls.finished()
    const reasoning = thinkingOf(this.#model, placed(blocks))
    yield {
      kind: 'done',
      finish: finishOf(stop, toolCalls.length > 0),
      content,
      toolCalls,
      ...(reasoning === undefined ? {} : { reasoning }),
      ...(this.#modelUsed === undefined ? {} : { modelUsed: this.#modelUsed }),
    }
  }
}

function placed(blocks: readonly Block[]): Part[] {
  let end = 0
  return blocks.flatMap((block): Part[] => {
    if (block.type === 'other') return []
    if (block.type !== 'text') return [block]
    end += block.text.length
    return [{ type: 'text', end }]
  })
}

/** Calls decide: they may come with any stop reason that does not cut them. */
function finishOf(stop: StopReason, calls: boolean): Finish {
  if (stop === 'max_tokens' || stop === 'model_context_window_exceeded') return 'length'
  if (stop === 'refusal') return 'content_filter'
  return calls ? 'tool_calls' : 'stop'
}

/** `input_tokens` holds neither what the cache gave nor what went into it: together they are the prompt. */
function usageOf(counts: Counts): ModelUsage {
  const number = (value: unknown) => (typeof value === 'number' ? value : undefined)
  const input = number(counts.input_tokens)
  const read = number(counts.cache_read_input_tokens)
  const written = number(counts.cache_creation_input_tokens)
  const details = counts.output_tokens_details as { thinking_tokens?: unknown } | undefined
  return known({
    inputTokens: input === undefined ? undefined : input + (read ?? 0) + (written ?? 0),
    outputTokens: number(counts.output_tokens),
    cachedTokens: read,
    cacheWriteTokens: written,
    reasoningTokens: number(details?.thinking_tokens),
  })
}
