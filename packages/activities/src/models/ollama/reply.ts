import type { ChatResponse } from 'ollama'
import { z } from 'zod'
import type { Finish, ModelEvent, ModelRequest, ModelUsage } from '../model.ts'
import { ToolCallMerge } from '../tool-call-merge.ts'
import { count, known } from '../usage-fields.ts'
import { thinkingOf } from './request.ts'

/** What we read of a line: more than the package's types know, and each part of it may be missing. */
const Line = z.object({
  model: z.string().optional().catch(undefined),
  message: z
    .object({
      content: z.string().nullish(),
      thinking: z.string().nullish(),
      tool_calls: z
        .array(
          z.object({
            id: z.string().nullish(),
            function: z.object({ name: z.string().nullish(), arguments: z.unknown().optional() }).nullish(),
          }),
        )
        .nullish(),
    })
    .nullish(),
  done: z.boolean().nullish(),
  done_reason: z.string().nullish(),
  prompt_eval_count: count,
  prompt_eval_cached_count: count,
  eval_count: count,
})
type Line = z.infer<typeof Line>

/** Gathers the lines of one reply. */
export class OllamaReply {
  readonly #calls: ToolCallMerge
  readonly #model: string
  #position = 0
  #content = ''
  #thinking = ''
  #last: Line | undefined

  constructor({ turn, model }: ModelRequest) {
    this.#calls = new ToolCallMerge(turn)
    this.#model = model.name
  }

  get done(): boolean {
    return this.#last !== undefined
  }

  /** Throws a `SyntaxError` for a line that is nothing like a chat's. */
  *take(response: ChatResponse): Generator<ModelEvent> {
    const parsed = Line.safeParse(response)
    if (!parsed.success) throw new SyntaxError(`not a line of a chat: ${z.prettifyError(parsed.error)}`)
    const { message, done } = parsed.data
    if (message?.thinking) {
      this.#thinking += message.thinking
      yield { kind: 'thinking', text: message.thinking }
    }
    if (message?.content) {
      this.#content += message.content
      yield { kind: 'token', text: message.content }
    }
    for (const call of message?.tool_calls ?? []) {
      // Each comes whole. Its own index is of no use: some versions give all calls the same one.
      yield* this.#calls.add({ index: this.#position, id: call.id, function: call.function ?? null })
      this.#position += 1
    }
    if (done === true) this.#last = parsed.data
  }

  end(): Iterable<ModelEvent> | undefined {
    return this.#last === undefined ? undefined : this.#finished(this.#last)
  }

  *#finished(last: Line): Generator<ModelEvent> {
    const usage = usageOf(last)
    if (Object.keys(usage).length > 0) yield { kind: 'usage', usage }
    const toolCalls = this.#calls.finished()
    const reasoning = thinkingOf(this.#model, this.#thinking)
    yield {
      kind: 'done',
      finish: finishOf(last.done_reason, toolCalls.length > 0),
      content: this.#content,
      toolCalls,
      ...(reasoning === undefined ? {} : { reasoning }),
      ...(last.model === undefined ? {} : { modelUsed: last.model }),
    }
  }
}

/** The reason beside calls is `stop` too, or missing. */
function finishOf(reason: string | null | undefined, calls: boolean): Finish {
  if (reason === 'length') return 'length'
  return calls ? 'tool_calls' : 'stop'
}

/** A count of zero is left out by the server: with the other one there it is a zero, with none it is not known. */
function usageOf({
  prompt_eval_count: prompt,
  prompt_eval_cached_count: cached,
  eval_count: made,
}: Line): ModelUsage {
  const some = typeof prompt === 'number' || typeof made === 'number'
  return some ? known({ inputTokens: prompt ?? 0, outputTokens: made ?? 0, cachedTokens: cached }) : {}
}
