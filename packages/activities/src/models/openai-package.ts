import type * as Sdk from 'openai'
import { InBandError } from './in-band-error.ts'
import { ModelError } from './model.ts'
import { once } from './once.ts'
import {
  billedAt,
  connectionFailure,
  modelError,
  snippet,
  type Verdict,
  verdict,
  verdictOfStatus,
} from './provider-failure.ts'
import { sseFrames } from './sse-frames.ts'
import type { Wire } from './wire.ts'

/** Loaded with the first call, as the packages of providers are. */
export const openAiPackage = once(() => import('openai'))

/**
 * The `openai` package makes the requests; their bodies are read here, because the package's own stream takes a body
 * that breaks off for a complete one and loses the digits of a cost. It neither repeats a request nor logs one.
 */
export function openAiClient(options: {
  apiKey: string
  baseURL: string
  progressTimeoutMs: number
  /** null leaves one out. */
  headers?: Record<string, string | null>
}): () => Promise<Sdk.OpenAI> {
  return once(
    async () =>
      new (await openAiPackage()).default({
        apiKey: options.apiKey,
        baseURL: options.baseURL,
        maxRetries: 0,
        // The progress timer is the one that counts; this only must not come before it.
        timeout: options.progressTimeoutMs + 60_000,
        logLevel: 'off',
        organization: null,
        project: null,
        adminAPIKey: null,
        webhookSecret: null,
        ...(options.headers ? { defaultHeaders: options.headers } : {}),
      }),
  )
}

/** How one request of a client's is sent. */
export const sentBy = (wire: Wire, signal: AbortSignal) => ({
  signal,
  fetchOptions: { dispatcher: wire.dispatcher },
})

/** The head of an answer, then the JSON texts in it: one a frame, or the whole body where it is no event stream. */
export async function* answerOf(response: Response): AsyncGenerator<Headers | string> {
  yield response.headers
  const type = response.headers.get('content-type') ?? ''
  if (type.includes('text/event-stream') && response.body) {
    yield* sseFrames(response.body)
    return
  }
  const text = (await response.text()).trim()
  if (!text.startsWith('{')) throw new SyntaxError(`a body of type ${type || 'unknown'}`)
  yield text
  yield '[DONE]'
}

/** What one provider's error object says. */
export interface ErrorReading {
  /** Undefined where it says no more than the status. */
  given: Verdict | undefined
  message: string
  retryAfterMs: number | undefined
  affordableTokens?: number | undefined
}
export type ReadError = (
  error: unknown,
  status: number | undefined,
  headers: Headers | undefined,
) => ErrorReading

/**
 * Maps what a call through the package threw to a `ModelError`. `streaming`: the 200 has come, so it may be billed.
 * `secret` is kept out of the message; foreign errors are not attached as a cause, for they hold headers and bodies (I8).
 */
export function packageFailure(
  failure: unknown,
  read: ReadError,
  { sdk, streaming, secret }: { sdk: typeof Sdk; streaming: boolean; secret: string },
): ModelError {
  const { APIConnectionError, APIConnectionTimeoutError, APIError, OpenAIError } = sdk
  if (failure instanceof ModelError) return failure
  if (failure instanceof InBandError) {
    const { given, message, retryAfterMs } = read(failure.error, undefined, undefined)
    const what = given ?? verdict('UNAVAILABLE', 'provider_failed', true)
    return modelError(what, `the provider failed: ${message}`, { billed: 'unknown', secret, retryAfterMs })
  }
  if (failure instanceof APIConnectionTimeoutError)
    return modelError(verdict('TIMEOUT', 'provider_timeout', true), 'the provider did not answer in time', {
      billed: 'unknown',
    })
  if (failure instanceof APIError && !(failure instanceof APIConnectionError)) {
    const status = failure.status ?? 0
    const own = failure.error !== undefined && failure.error !== null
    const { given, message, ...more } = read(failure.error, status, failure.headers)
    const said = own ? message : snippet(failure.message)
    return modelError(given ?? verdictOfStatus(status), `the provider answered ${status}: ${said}`, {
      billed: billedAt(status, own),
      secret,
      ...more,
    })
  }
  if (failure instanceof OpenAIError && !(failure instanceof APIError))
    return modelError(verdict('INVALID', 'provider_request_failed'), failure.message, {
      billed: 'no',
      secret,
    })
  return connectionFailure(failure, streaming, secret)
}
