import type { Finish, ModelEvent, ModelRequest, ModelUsage } from './model.ts'
import type { Chunk } from './openrouter-chunk.ts'
import { usageOf } from './openrouter-chunk.ts'
import { InBandError } from './openrouter-errors.ts'
import { incompleteReply } from './provider-failure.ts'
import { ReasoningMerge } from './reasoning-merge.ts'
import { ToolCallMerge } from './tool-call-merge.ts'

/**
 * Gathers the chunks of one reply. `take` gives out what each adds; `end` closes the books and refuses a reply that
 * did not come to its end. The finish is said twice by OpenRouter: the first counts, the second only brings the usage.
 */
export class ReplyInProgress {
  #content = ''
  #finish: string | undefined
  #usage: ModelUsage | undefined
  #model: string | undefined
  readonly #calls: ToolCallMerge
  readonly #reasoning = new ReasoningMerge()
  readonly #request: ModelRequest

  constructor(request: ModelRequest) {
    this.#request = request
    this.#calls = new ToolCallMerge(request.turn)
  }

  /** Throws an `InBandError` for an error in the chunk. A length finish before it stands: the error only explains it. */
  *take(chunk: Chunk): Generator<ModelEvent> {
    if (chunk.model) this.#model = chunk.model
    if (chunk.usage) {
      const usage = usageOf(chunk.usage)
      // Some send zeros or nothing with every chunk and the truth at the end: the last one with a figure wins.
      if (Object.keys(usage).length > 0) this.#usage = usage
    }
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

  *#takeDelta(
    delta: NonNullable<NonNullable<NonNullable<Chunk['choices']>[number]>['delta']>,
  ): Generator<ModelEvent> {
    // The same thought comes under up to three names: told once, kept in the richest form.
    const thinking = delta.reasoning || delta.reasoning_content || ''
    if (delta.reasoning_details) this.#reasoning.addDetails(delta.reasoning_details)
    if (thinking !== '') {
      this.#reasoning.addText(thinking)
      yield { kind: 'thinking', text: thinking }
    }
    if (delta.content) {
      this.#content += delta.content
      yield { kind: 'token', text: delta.content }
    }
    for (const fragment of delta.tool_calls ?? [])
      for (const text of this.#calls.add(fragment)) yield { kind: 'tool_use', text }
  }

  /** `terminated`: `[DONE]` was seen. Without it a reply counts only when both its finish and its usage came. */
  *end(terminated: boolean): Generator<ModelEvent> {
    const toolCalls = this.#calls.finished()
    const said = this.#content !== '' || toolCalls.length > 0
    const whole = terminated
      ? this.#finish !== undefined || said
      : this.#finish !== undefined && this.#usage !== undefined
    if (!whole) throw incompleteReply()
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
