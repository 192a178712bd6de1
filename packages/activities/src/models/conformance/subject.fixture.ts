import type { Model } from '@devflow/contracts'
import type { ModelAdapter } from '../model.ts'

/** What a provider may lack; the laws that need it are left out for its adapter. */
export type Ability =
  /** A server behind it, with statuses and connections: some models run in the worker itself. */
  | 'server'
  /** A key: some local servers need none. */
  | 'key'
  /** Thinking that is shown. */
  | 'thinking'
  /** An opaque mark on thinking or calls (signature, encrypted text) that has to come back untouched. */
  | 'seal'
  /** Arguments of a tool call that come in pieces. */
  | 'fragments'
  /** Ids of tool calls that the provider gives. */
  | 'call_ids'
  /** An id of the request or generation, told before or with the first piece. */
  | 'generation'
  /** The cost of the call in its answer. */
  | 'cost'
  /** Counts of cached tokens. */
  | 'cached_tokens'
  /** Counts of reasoning tokens. */
  | 'reasoning_tokens'
  /** A status 402. */
  | 'payment'

/** One adapter under the suite. */
export interface Subject {
  /** Stands in the names of the tests. */
  name: string
  /** Asked for in every request. */
  model: Model
  /** Where the key is read from; named by the error when there is none. */
  keyVariable?: string
  /** Each with the reason why. */
  lacks: Partial<Record<Ability, string>>
  /** Starts a local server faithful to the provider, one for each test. */
  start(): Promise<StandIn>
}

/** The provider's stand-in: says what it is told, in the provider's own words, and keeps what it was asked. */
export interface StandIn {
  /** The adapter under test, speaking to this server. `apiKey: undefined` makes one without a key. */
  adapter(options: { apiKey: string | undefined; stallMs?: number }): ModelAdapter
  /** Answers every request from now on. */
  play(play: Play): void
  readonly requests: readonly Seen[]
  /** Resolves once the condition holds, looked at after every change; rejects after `timeoutMs` (10 s). */
  waitFor(holds: (requests: readonly Seen[]) => boolean, timeoutMs?: number): Promise<void>
  close(): Promise<void>
}

export type Play = { reply: Reply; flaw?: Flaw; delayMs?: number; chunkDelayMs?: number } | Refusal

/** An answer other than 200, in the provider's own form of error. */
export interface Refusal {
  status: number
  /** Stands in the body's message; default: any. */
  message?: string
  /** Seconds, as a `Retry-After` header. */
  retryAfter?: number
  /** The body as it is instead: a gateway's HTML, say, or nothing. */
  body?: string
}

export interface Reply {
  thinking?: string
  /** Opaque and in the provider's place for it: signature, encrypted content. */
  seal?: string
  text?: string
  /** Even pieces of the text. Default: the server's own. */
  chunks?: number
  toolCalls?: { id: string; name: string; arguments: Record<string, unknown> }[]
  /** Fragments of the calls in turn, instead of call after call. */
  interleaved?: boolean
  /** Ended at the limit of output tokens. */
  cutAtLimit?: boolean
  /** Tokens as the provider would count the whole: `input` holds `cached`, `output` holds `reasoning`. */
  usage?: { input: number; output: number; cached?: number; reasoning?: number }
}

export type Flaw =
  /** 200, then an error in place of the answer. */
  | 'error_first'
  /** 200, some text, then an error. */
  | 'error_after_text'
  /** The body ends in good order in the middle of the text. */
  | 'ends_in_text'
  /** The connection breaks within a tool call's arguments. */
  | 'breaks_in_call'
  /** Alive, but saying nothing: keep-alives for ever where the provider has them. */
  | 'stalls'

/** One request as the server saw it, whatever the provider calls things. */
export interface Seen {
  model: string
  maxOutputTokens: number | undefined
  temperature: number | undefined
  tools: string[]
  /** Results of tools in the conversation, in order; `id` as the provider matches them. */
  toolResults: { id: string; content: string }[]
  /** Calls in the conversation, in order. */
  toolCalls: { id: string; name: string; arguments: unknown }[]
  /** Seals that came back, in order. */
  seals: string[]
  /** The whole body. */
  body: unknown
  /** The id this server gave to its answer. */
  generationId: string | undefined
  /** Bytes of the answer handed to the system so far. */
  sentBytes: number
  /** What the server would bill for it, where it tells costs. */
  billedMicroUsd?: number
  /** When the client was seen to have gone before the end. */
  abortedAt?: number
  finishedAt?: number
}
