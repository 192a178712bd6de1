import type { GenerateContentResponse, GenerateContentResponseUsageMetadata, Part } from '@google/genai'
import type { Finish, ModelEvent, ModelRequest, ModelUsage } from '../model.ts'
import { modelError, type Verdict, verdict } from '../provider-failure.ts'
import { ToolCallMerge } from '../tool-call-merge.ts'
import { known } from '../usage-fields.ts'
import { type Place, signaturesOf } from './signatures.ts'

const CUT: readonly string[] = ['MAX_TOKENS']
const WITHHELD: readonly string[] = [
  'SAFETY',
  'RECITATION',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
]

/** Endings that leave no answer; asked again the model may do better. */
const FAILED: Record<string, Verdict> = {
  MALFORMED_FUNCTION_CALL: verdict('UNAVAILABLE', 'provider_malformed_answer', true),
  MALFORMED_RESPONSE: verdict('UNAVAILABLE', 'provider_malformed_answer', true),
  UNEXPECTED_TOOL_CALL: verdict('UNAVAILABLE', 'provider_malformed_answer', true),
  TOO_MANY_TOOL_CALLS: verdict('UNAVAILABLE', 'provider_malformed_answer', true),
  CONTINUATION: verdict('UNAVAILABLE', 'provider_paused_turn', true),
  OTHER: verdict('UNAVAILABLE', 'provider_failed', true),
}

/** Gathers the chunks of one reply. Candidates, parts and counts may each be missing. */
export class GoogleReply {
  readonly #calls: ToolCallMerge
  readonly #model: string
  readonly #places: Place[] = []
  #content = ''
  #position = 0
  #named = false
  #modelUsed: string | undefined
  #finish: string | undefined
  #explained = ''
  #blocked: string | undefined
  #counts: GenerateContentResponseUsageMetadata | undefined

  constructor({ turn, model }: ModelRequest) {
    this.#calls = new ToolCallMerge(turn)
    this.#model = model.name
  }

  /** The last chunk has both its reason and the counts; nothing is waited for after it. */
  get ended(): boolean {
    return (this.#finish !== undefined || this.#blocked !== undefined) && this.#counts !== undefined
  }

  *take(chunk: GenerateContentResponse): Generator<ModelEvent> {
    if (!this.#named && chunk.responseId) {
      this.#named = true
      yield { kind: 'generation', id: chunk.responseId }
    }
    this.#modelUsed = chunk.modelVersion ?? this.#modelUsed
    // Each chunk's counts are those of the whole so far.
    this.#counts = chunk.usageMetadata ?? this.#counts
    if (chunk.promptFeedback?.blockReason) this.#blocked = chunk.promptFeedback.blockReason
    const candidate = chunk.candidates?.[0]
    for (const part of candidate?.content?.parts ?? []) yield* this.#add(part)
    if (candidate?.finishReason) this.#finish = candidate.finishReason
    if (candidate?.finishMessage) this.#explained = `: ${candidate.finishMessage}`
  }

  *#add(part: Part): Generator<ModelEvent> {
    const { text = '', thoughtSignature: signature } = part
    const signed = signature === undefined ? {} : { signature }
    if (part.functionCall) {
      this.#places.push({ type: 'call', ...signed })
      const { id, name, args } = part.functionCall
      const call = {
        index: this.#position,
        id: id ?? null,
        function: { name: name ?? '', arguments: args ?? {} },
      }
      this.#position += 1
      yield* this.#calls.add(call)
    } else if (part.thought === true) {
      if (signature !== undefined) this.#places.push({ type: 'thought', text, signature })
      if (text !== '') yield { kind: 'thinking', text }
    } else if (part.text !== undefined) {
      this.#content += text
      this.#place(signed)
      if (text !== '') yield { kind: 'token', text }
    }
  }

  /** Fragments of text are one part, but for those with a signature: they are parts of their own. */
  #place(signed: { signature?: string }): void {
    const end = this.#content.length
    const last = this.#places.at(-1)
    if (last?.type === 'text' && last.signature === undefined && signed.signature === undefined)
      last.end = end
    else this.#places.push({ type: 'text', end, ...signed })
  }

  /** The rest of the reply; undefined where it never came to its end. */
  end(): Iterable<ModelEvent> | undefined {
    return this.#finish === undefined && this.#blocked === undefined ? undefined : this.#finished()
  }

  *#finished(): Generator<ModelEvent> {
    if (this.#counts) yield { kind: 'usage', usage: usageOf(this.#counts) }
    if (this.#finish === undefined)
      throw modelError(
        verdict('PERMISSION_DENIED', 'provider_moderation'),
        `the provider does not answer this prompt (${this.#blocked})`,
        { billed: 'unknown' },
      )
    const failed = FAILED[this.#finish]
    if (failed)
      throw modelError(failed, `the reply ended with ${this.#finish}${this.#explained}`, {
        billed: 'unknown',
      })
    const toolCalls = this.#calls.finished()
    const reasoning = signaturesOf(this.#model, this.#places)
    yield {
      kind: 'done',
      finish: finishOf(this.#finish, toolCalls.length > 0),
      content: this.#content,
      toolCalls,
      ...(reasoning === undefined ? {} : { reasoning }),
      ...(this.#modelUsed === undefined ? {} : { modelUsed: this.#modelUsed }),
    }
  }
}

/** The reason of a reply with calls is STOP too. */
function finishOf(reason: string, calls: boolean): Finish {
  if (CUT.includes(reason)) return 'length'
  if (WITHHELD.includes(reason)) return 'content_filter'
  return calls ? 'tool_calls' : 'stop'
}

/** Thoughts are counted beside the answer and billed with it; cached tokens are among the prompt's. A zero is left out. */
function usageOf(counts: GenerateContentResponseUsageMetadata): ModelUsage {
  const {
    promptTokenCount: prompt,
    toolUsePromptTokenCount: tools = 0,
    thoughtsTokenCount: thoughts = 0,
  } = counts
  const { candidatesTokenCount: answer, totalTokenCount: total, cachedContentTokenCount: cached } = counts
  const input = prompt === undefined ? undefined : prompt + tools
  const output =
    answer !== undefined
      ? answer + thoughts
      : total !== undefined && input !== undefined
        ? Math.max(thoughts, total - input)
        : undefined
  return known({
    inputTokens: input,
    outputTokens: output,
    cachedTokens: input === undefined ? undefined : (cached ?? 0),
    reasoningTokens: output === undefined ? undefined : thoughts,
  })
}
