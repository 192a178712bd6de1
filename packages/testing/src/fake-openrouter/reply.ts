/** A chat request as the client sent it. Fields the fake does not use are kept in `body`. */
export interface ChatMessage {
  role: string
  content: string | null
  tool_calls?: { id: string; type: string; function: { name: string; arguments: string } }[]
  tool_call_id?: string
  reasoning?: string
  reasoning_details?: unknown[]
}

export interface ChatBody {
  model: string
  messages: ChatMessage[]
  tools?: { type: string; function: { name: string; description?: string; parameters?: unknown } }[]
  stream?: boolean
  max_tokens?: number
  session_id?: string
  [field: string]: unknown
}

/** What a handler sees of a request. */
export interface FakeRequest {
  /** Counts all chat requests from 1. */
  n: number
  /** Counts the requests of this session from 1. */
  nInSession: number
  /** `session_id` of the body, else header `x-session-id`, else empty. */
  session: string
  model: string
  messages: ChatMessage[]
  /** Names of the tools offered. */
  tools: string[]
  body: ChatBody
  headers: Record<string, string>
}

export interface FakeToolCall {
  id?: string
  name: string
  /** Text goes out as it is; anything else as its JSON. */
  arguments: unknown
}

export interface FakeUsage {
  promptTokens?: number
  completionTokens?: number
  cachedTokens?: number
  reasoningTokens?: number
}

/** What a reply is made of. */
export interface PlainReply {
  content?: string
  reasoning?: string
  /** Sent as they are, one frame each, before the content. */
  reasoningDetails?: unknown[]
  toolCalls?: FakeToolCall[]
  /** How the content is cut: a number of even pieces, or the pieces themselves. */
  chunks?: number | string[]
  /** Before the response's head. */
  delayMs?: number
  /** Before each data frame but the first. */
  chunkDelayMs?: number
  usage?: FakeUsage
  finish?: string | null
  /** USD as the text that stands in the JSON, such as `4.51e-06` or `null`; it is what is billed. */
  cost?: string
  /** Fields of the usage as they go out, in place of those that follow from the rest. */
  usageFields?: Record<string, unknown>
  /** Whether the upstream provider stops, and stops billing, when the client goes. Default true. */
  cancellable?: boolean
  /** How many looks at `/generation` answer 404 before the first 200. Default: the fake's own. */
  generationMisses?: number
  modelUsed?: string
  provider?: string
  /** An answer other than 200, sent instead of everything else. */
  error?: HttpError
}

export interface HttpError {
  status: number
  body: unknown
  headers?: Record<string, string>
}
