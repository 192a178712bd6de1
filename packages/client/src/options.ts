import { type DevflowError, invalid } from './errors.ts'

/** The web's `fetch`, as far as it is used here. */
export type Fetch = (input: string | URL, init?: RequestInit) => Promise<Response>

/** What is tried again: connection errors, timeouts, and answers of 429, 500, 502, 503 and 504. */
export interface RetryPolicy {
  /** Tries after the first. 3. */
  retries: number
  /** Consecutive tries after a stream broke, without an event between them. 10. */
  reconnects: number
  /** The shortest wait between two tries, in ms; it doubles from try to try, with jitter. 1,000. */
  minDelayMs: number
  /** The longest wait between two tries, in ms, unless `Retry-After` asks for more. 10,000. */
  maxDelayMs: number
  /** A `Retry-After` longer than this is not waited for: the error comes at once, in ms. 60,000. */
  maxRetryAfterMs: number
}

/** A try that failed and is about to be made again. */
export interface Retry {
  /** 1 for the first try after the first. */
  retry: number
  delayMs: number
  error: DevflowError
}

export interface ClientOptions {
  /** Where the API is, with the path of a proxy if there is one. `http://127.0.0.1:8787`. */
  baseUrl?: string | URL
  /** Sent as `Authorization: Bearer …`. */
  token?: string
  /** Whatever speaks HTTP; `globalThis.fetch`. */
  fetch?: Fetch
  /** Headers of every request, for a proxy in between. */
  headers?: Record<string, string>
  /** The time one try may take, until the last byte of its answer, in ms. 60,000. */
  timeoutMs?: number
  /** A stream that is silent for so long is taken to be dead, in ms; the API sends something every 15 s. 45,000. */
  idleTimeoutMs?: number
  retry?: Partial<RetryPolicy>
  /** Told before each further try, and before each reconnect of a stream. */
  onRetry?: (retry: Retry) => void
}

export interface CallOptions {
  /** Ends the call, which rejects with the signal's reason. What was asked may have been taken. */
  signal?: AbortSignal
  /** Instead of the client's. */
  timeoutMs?: number
  /** Instead of the client's. */
  retries?: number
}

export interface PostOptions extends CallOptions {
  /** A key of your own, so that the call can be repeated in another process: the same key and body is done once. */
  idempotencyKey?: string
}

/** The options with what was left out, checked. */
export interface Settings extends Required<Omit<ClientOptions, 'token' | 'retry' | 'baseUrl' | 'onRetry'>> {
  baseUrl: URL
  retry: RetryPolicy
  onRetry: (retry: Retry) => void
}

const RETRY: RetryPolicy = {
  retries: 3,
  reconnects: 10,
  minDelayMs: 1_000,
  maxDelayMs: 10_000,
  maxRetryAfterMs: 60_000,
}

/** Timers hold no longer time, and fire at once when they are given one. */
const LONGEST_MS = 2 ** 31 - 1

/** Throws ValidationError `bad_base_url`, `bad_token`, `bad_header`. */
export function settingsOf(options: ClientOptions): Settings {
  const { token, fetch, timeoutMs = 60_000, idleTimeoutMs = 45_000, retry, onRetry = () => {} } = options
  return {
    baseUrl: baseUrlOf(options.baseUrl ?? 'http://127.0.0.1:8787'),
    // Looked up at each call, and called as a function: browsers refuse `fetch` as a method of anything else.
    fetch: fetch ?? ((input, init) => globalThis.fetch(input, init)),
    headers: {
      ...checked(options.headers),
      ...(token === undefined ? {} : { authorization: bearer(token) }),
    },
    timeoutMs: timerMs(timeoutMs),
    idleTimeoutMs: timerMs(idleTimeoutMs),
    retry: { ...RETRY, ...retry },
    onRetry,
  }
}

function baseUrlOf(text: string | URL): URL {
  const wrong = (message: string) => invalid('bad_base_url', `baseUrl: ${message}.`, 'baseUrl', message)
  if (!URL.canParse(text)) throw wrong('expected a URL such as http://127.0.0.1:8787')
  const url = new URL(text)
  if (!/^https?:$/.test(url.protocol)) throw wrong('expected a URL that begins with http:// or https://')
  if (url.username || url.password) throw wrong('expected no user and password: use token, or headers')
  if (url.search || url.hash) throw wrong('expected neither a query nor a fragment')
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

/** A time for a timer; `Infinity` is as long as there is. */
export const timerMs = (ms: number): number => Math.min(ms, LONGEST_MS)

function checked(headers: Record<string, string> = {}): Record<string, string> {
  for (const [name, value] of Object.entries(headers)) {
    try {
      new Headers({ [name]: value })
    } catch {
      // What the platform says repeats the value, which may be a secret.
      const message = 'expected a name and a value that HTTP allows'
      throw invalid('bad_header', `The header ${name}: ${message}.`, `headers.${name}`, message)
    }
  }
  return headers
}

function bearer(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return `Bearer ${token}`
  const message = 'expected printable ASCII without spaces'
  throw invalid('bad_token', `token: ${message}.`, 'token', message)
}
