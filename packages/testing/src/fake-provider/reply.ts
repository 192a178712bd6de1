/** What a fake provider is to say, whatever the provider calls things. */
export interface ProviderReply {
  thinking?: string
  /** Opaque, in the provider's place for it; has to come back untouched with the next request. */
  seal?: string
  text?: string
  /** Even pieces of the text. Default 3. */
  chunks?: number
  toolCalls?: ProviderCall[]
  /** Fragments of the calls in turn, instead of call after call. */
  interleaved?: boolean
  /** Why it ended, in the provider's own word; default as the reply itself says. */
  finish?: string
  usage?: ProviderUsage
  /** Before the response's head. */
  delayMs?: number
  /** Before each piece but the first. */
  chunkDelayMs?: number
  flaw?: ReplyFlaw
  /** Whole frames to send as they are, in place of what the reply says. */
  frames?: string[]
  /** An answer other than 200, sent instead of everything else. */
  error?: { status: number; body: unknown; headers?: Record<string, string> }
}

export interface ProviderCall {
  id?: string
  name: string
  /** A string goes out as it is where the provider sends text; anything else as its JSON. */
  arguments: unknown
  seal?: string
}

/** Tokens as one counts the whole: `input` holds `cached` and `cacheWritten`, `output` holds `reasoning`. */
interface ProviderUsage {
  input: number
  output: number
  cached?: number
  cacheWritten?: number
  reasoning?: number
}

export type ReplyFlaw =
  /** 200, then an error in place of the answer. */
  | 'error_first'
  /** 200, some text, then an error. */
  | 'error_after_text'
  /** The body ends in good order in the middle of the text. */
  | 'ends_in_text'
  /** The connection breaks within a tool call. */
  | 'breaks_in_call'
  /** Alive, but saying nothing: keep-alives for ever where the provider has them. */
  | 'stalls'
  /** All is said, and the connection stays open. */
  | 'lingers'
  /** Each byte in a write of its own. */
  | 'torn'

/** A piece of a body: `part` says what it belongs to. */
export interface Frame {
  part: 'head' | 'text' | 'call' | 'end'
  text: string
}

/** Cuts a text into even pieces that lose no character. */
export function piecesOf(text: string, count: number): string[] {
  if (text === '') return []
  const size = Math.max(1, Math.ceil(text.length / count))
  const pieces = []
  for (let from = 0; from < text.length; from += size) pieces.push(text.slice(from, from + size))
  return pieces
}
