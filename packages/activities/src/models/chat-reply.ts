import { type Chunk, type Delta, parseChunk } from './chat-chunk.ts'
import { InBandError } from './in-band-error.ts'
import type { Finish, ModelEvent, ModelRequest, ModelUsage } from './model.ts'
import { modelError, verdict } from './provider-failure.ts'
import { ReasoningMerge } from './reasoning-merge.ts'
import { ThinkTags } from './think-tags.ts'
import { ToolCallMerge } from './tool-call-merge.ts'

/** How one server of chat completions tells what others tell otherwise. */
export interface ChatDialect {
  /** Names of numbers in a usage that are to be read digit for digit. */
  exact: readonly string[]
  /** Empty where the value says nothing. */
  usageOf(usage: unknown): ModelUsage
}

/** More blanks than this in a row, and nothing else, are a model that has lost its way: in JSON, say, until its limit. */
const MOST_BLANKS = 2_000

/**
 * Gathers the chunks of one reply. `take` gives out what each adds; `end` closes the books and refuses a reply that
 * did not come to its end. The finish may be said twice: the first counts, the second only brings the usage.
 */
export class ChatReply {
  #content = ''
  #blanks = 0
  #finish: string | undefined
  #usage: ModelUsage | undefined
  #model: string | undefined
  #named: boolean
  #terminated = false
  readonly #calls: ToolCallMerge
  readonly #reasoning = new ReasoningMerge()
  readonly #thinkTags = new ThinkTags()
  readonly #request: ModelRequest
  readonly #dialect: ChatDialect

  /** `named`: the generation's id was told before, by a header. */
  constructor(request: ModelRequest, dialect: ChatDialect, named = false) {
    this.#request = request
    this.#dialect = dialect
    this.#named = named
    this.#calls = new ToolCallMerge(request.turn)
  }

  /** `[DONE]` was seen. */
  get terminated(): boolean {
    return this.#terminated
  }

  /** Takes the data of one frame. Throws an `InBandError` for an error in it. */
  *take(data: string): Generator<ModelEvent> {
    if (data === '[DONE]') {
      this.#terminated = true
      return
    }
    const chunk = parseChunk(data, this.#dialect.exact)
    if (!this.#named && chunk.id) {
      this.#named = true
      yield { kind: 'generation', id: chunk.id }
    }
    yield* this.#takeChunk(chunk)
  }

  /** A length finish before an error stands: the error only explains it. */
  *#takeChunk(chunk: Chunk): Generator<ModelEvent> {
    if (chunk.model) this.#model = chunk.model
    const usage = chunk.usage ? this.#dialect.usageOf(chunk.usage) : {}
    // Some send zeros or nothing with every chunk and the truth at the end: the last one with a figure wins.
    if (Object.keys(usage).length > 0) this.#usage = usage
    const choice = chunk.choices?.[0]
    const error = chunk.error ?? choice?.error
    if (error && this.#finish !== 'length') {
      // What the provider says it billed is worth knowing for a failed reply too.
      if (this.#usage) yield { kind: 'usage', usage: this.#usage }
      throw new InBandError(error)
    }
    const delta = choice?.delta ?? choice?.message
    if (delta) yield* this.#takeDelta(delta)
    const finish = choice?.finish_reason
    if (finish === 'error' && this.#finish !== 'length')
      throw new InBandError({ message: 'the reply ended with an error that is not described' })
    if (finish && this.#finish === undefined) this.#finish = finish
  }

  *#takeDelta(delta: Delta): Generator<ModelEvent> {
    // The same thought comes under up to three names: told once, kept in the richest form.
    const thinking = delta.reasoning || delta.reasoning_content || ''
    if (delta.reasoning_details) this.#reasoning.addDetails(delta.reasoning_details)
    if (thinking !== '') {
      this.#reasoning.addText(thinking, delta.reasoning ? 'reasoning' : 'reasoning_content')
      yield { kind: 'thinking', text: thinking }
    }
    for (const said of [delta.content, delta.refusal])
      if (said) {
        this.#refuseBlanks(said)
        yield* this.#say(this.#thinkTags.push(said))
      }
    for (const fragment of delta.tool_calls ?? [])
      for (const event of this.#calls.add(fragment)) {
        this.#refuseBlanks(event.text)
        yield event
      }
  }

  *#say(pieces: { kind: 'token' | 'thinking'; text: string }[]): Generator<ModelEvent> {
    for (const piece of pieces) {
      if (piece.kind === 'token') this.#content += piece.text
      yield piece
    }
  }

  /** Ends a reply of nothing but blanks early: each is paid for. */
  #refuseBlanks(text: string): void {
    this.#blanks = text.trim() === '' ? this.#blanks + text.length : text.length - text.trimEnd().length
    if (this.#blanks > MOST_BLANKS)
      throw modelError(
        verdict('UNAVAILABLE', 'provider_blank_output', true),
        'the model wrote nothing but blanks',
        { billed: 'unknown' },
      )
  }

  /** Undefined: the reply broke off. Without `[DONE]` it counts only when both its finish and its usage came. */
  end(): Generator<ModelEvent> | undefined {
    const toolCalls = this.#calls.finished()
    const said = this.#content !== '' || toolCalls.length > 0
    const whole = this.#terminated
      ? this.#finish !== undefined || said
      : this.#finish !== undefined && this.#usage !== undefined
    return whole ? this.#end(toolCalls) : undefined
  }

  *#end(toolCalls: ReturnType<ToolCallMerge['finished']>): Generator<ModelEvent> {
    yield* this.#say(this.#thinkTags.rest())
    if (this.#usage) yield { kind: 'usage', usage: this.#usage }
    const reasoning = this.#reasoning.finished()
    yield {
      kind: 'done',
      finish: this.#finishOf(toolCalls.length > 0),
      content: this.#content,
      toolCalls,
      ...(reasoning === undefined ? {} : { reasoning }),
      ...(this.#model === undefined ? {} : { modelUsed: this.#model }),
    }
  }

  /** Calls decide: some providers say `stop`, nothing, or words of their own beside them. */
  #finishOf(calls: boolean): Finish {
    if (this.#finish === 'length' || this.#finish === 'content_filter') return this.#finish
    if (!calls) return 'stop'
    // Cut at the limit but labelled as calls: the last one's arguments may be cut and still parse.
    const cut = (this.#usage?.outputTokens ?? 0) >= this.#request.maxOutputTokens
    return cut ? 'length' : 'tool_calls'
  }
}
