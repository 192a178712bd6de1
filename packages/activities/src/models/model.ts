import type { ErrorKind, Model, ModelPrice } from '@devflow/contracts'

/** A tool as offered to a model: its arguments are JSON Schema. */
export interface ToolSpec {
  name: string
  description: string
  parameters: Record<string, unknown>
}

/** A tool call as the model made it. `arguments` is the raw text, which may be no JSON at all. */
export interface ToolCall {
  id: string
  name: string
  arguments: string
}

export type Message =
  | { role: 'system' | 'user'; content: string }
  | {
      role: 'assistant'
      content: string
      toolCalls: ToolCall[]
      /** Opaque to us and replayed byte for byte: signatures in it are checked by some providers. */
      reasoning?: unknown
    }
  | { role: 'tool'; toolCallId: string; name: string; content: string }

export interface ModelRequest {
  model: Model
  messages: Message[]
  tools: ToolSpec[]
  maxOutputTokens: number
  /** Same for every turn of a session: lets a provider keep its cache warm. */
  sessionId: string
  /** Where this call stands; the scripted and offline models answer by it. */
  phase: string
  attempt: number
  turn: number
  /** The clone that a model works in itself; see `worksOnFiles`. */
  root?: string
  /** Of `performance.now()`. What is not on its way by then is not sent, and fails with `NotSent`; default: whenever. */
  notAfter?: number
  /** `summary`: of the conversation so far, in plain text; default: the turn itself. */
  purpose?: 'turn' | 'summary'
}

/**
 * What a call used, as the provider says. A missing field is unknown, never zero. Cached and cache-written tokens are
 * among the input, reasoning among the output: providers that count them apart are added up by their adapter.
 */
export interface ModelUsage {
  inputTokens?: number
  outputTokens?: number
  cachedTokens?: number
  cacheWriteTokens?: number
  reasoningTokens?: number
  /** Exact micro-dollars with at most six decimals. */
  costMicroUsd?: number
}

export type Finish = 'stop' | 'length' | 'tool_calls' | 'content_filter'

/** What a stream yields, in order: at most one `generation` first, pieces, then `usage` (if any) and one `done`. A failed call may tell its usage too. */
export type ModelEvent =
  | { kind: 'generation'; id: string }
  | { kind: 'token'; text: string }
  | { kind: 'thinking'; text: string }
  /** Progress of a call being written: the tool's name, then fragments of its arguments. Executed only from `done`. */
  | { kind: 'tool_use'; text: string }
  | { kind: 'usage'; usage: ModelUsage }
  | {
      kind: 'done'
      finish: Finish
      content: string
      toolCalls: ToolCall[]
      reasoning?: unknown
      modelUsed?: string
    }

/** A failed call. `billed` says whether the provider may have charged for it: `no` only when it surely has not. */
export class ModelError extends Error {
  override readonly name = 'ModelError'
  readonly kind: ErrorKind
  readonly code: string
  readonly retryable: boolean
  readonly billed: 'no' | 'unknown'
  readonly retryAfterMs: number | undefined
  /** Output tokens that the account can still pay for, where the provider refused for more. */
  readonly affordableTokens: number | undefined

  constructor(
    kind: ErrorKind,
    code: string,
    message: string,
    more: {
      retryable: boolean
      billed: 'no' | 'unknown'
      retryAfterMs?: number
      affordableTokens?: number
      cause?: unknown
    },
  ) {
    super(message, { cause: more.cause })
    this.kind = kind
    this.code = code
    this.retryable = more.retryable
    this.billed = more.billed
    this.retryAfterMs = more.retryAfterMs
    this.affordableTokens = more.affordableTokens
  }
}

/** One provider. Never retries by itself (I5): each request is one row of the ledger. */
export interface ModelAdapter {
  /**
   * One request, streamed. Aborting `signal` closes the connection at once and makes the iterator throw the
   * signal's reason. Every other failure is a `ModelError`; a stream that ends before its end is one too.
   */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>
  /** Whether this model reads and changes files itself, in `root`: what it changed is kept with its turn. */
  worksOnFiles?(model: Model): boolean
  /** Price per token, or undefined when it is not known. Free models answer zeros. */
  price(model: Model): ModelPrice | undefined
  /** What the provider billed for a generation; undefined while it does not know yet. */
  lookup?(generationId: string, signal: AbortSignal): Promise<ModelUsage | undefined>
}
