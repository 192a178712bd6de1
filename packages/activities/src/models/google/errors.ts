import type * as Sdk from '@google/genai'
import { ModelError } from '../model.ts'
import {
  billedAt,
  connectionFailure,
  modelError,
  saysContextIsFull,
  snippet,
  type Verdict,
  verdict,
  verdictOfStatus,
} from '../provider-failure.ts'

interface GoogleError {
  code?: unknown
  message?: unknown
  status?: unknown
  details?: unknown
}

/** The API's `status`, a name of google.rpc.Code, where it says more than the number. */
const BY_STATUS: Record<string, Verdict> = {
  INVALID_ARGUMENT: verdict('INVALID', 'provider_rejected_request'),
  FAILED_PRECONDITION: verdict('INVALID', 'provider_rejected_request'),
  UNAUTHENTICATED: verdict('PERMISSION_DENIED', 'provider_unauthorized'),
  PERMISSION_DENIED: verdict('PERMISSION_DENIED', 'provider_forbidden'),
  NOT_FOUND: verdict('NOT_FOUND', 'provider_model_not_found'),
  RESOURCE_EXHAUSTED: verdict('RATE_LIMITED', 'provider_rate_limited', true),
  INTERNAL: verdict('UNAVAILABLE', 'provider_failed', true),
  UNAVAILABLE: verdict('UNAVAILABLE', 'provider_unavailable', true),
  DEADLINE_EXCEEDED: verdict('TIMEOUT', 'provider_timeout', true),
  CANCELLED: verdict('UNAVAILABLE', 'provider_unavailable', true),
}

/** Maps whatever a call threw to a `ModelError`. `sdk` is handed in, because it is loaded only when it is used. */
export function googleErrorOf(
  failure: unknown,
  context: { sdk: typeof Sdk; streaming: boolean; secret?: string },
): ModelError {
  if (failure instanceof ModelError) return failure
  const { sdk, streaming, secret } = context
  if (failure instanceof sdk.ApiError) return refusal(failure, streaming, secret)
  // A body that ended, in good order, in the middle of an event.
  if (failure instanceof Error && failure.message.startsWith('Incomplete JSON segment'))
    return modelError(
      verdict('UNAVAILABLE', 'provider_connection_lost', true),
      'the reply broke off in the middle',
      {
        billed: 'unknown',
      },
    )
  return connectionFailure(failure, streaming, secret)
}

function refusal({ status, message: text }: Sdk.ApiError, streaming: boolean, secret: string | undefined) {
  const { error, own } = errorIn(text)
  const message = typeof error.message === 'string' ? snippet(error.message) : snippet(text)
  const details = Array.isArray(error.details) ? (error.details as Record<string, unknown>[]) : []
  const said = streaming ? `the provider failed: ${message}` : `the provider answered ${status}: ${message}`
  return modelError(verdictOf(status, error, message, details), said, {
    billed: streaming ? 'unknown' : billedAt(status, own),
    secret,
    retryAfterMs: delayIn(details),
  })
}

function verdictOf(
  status: number,
  error: GoogleError,
  message: string,
  details: Record<string, unknown>[],
): Verdict {
  const named = typeof error.status === 'string' ? BY_STATUS[error.status] : undefined
  const base = named ?? verdictOfStatus(status)
  const reasons = details.map(({ reason }) => reason)
  // The API answers 400 to a key it does not know.
  if (reasons.includes('API_KEY_INVALID')) return verdict('PERMISSION_DENIED', 'provider_unauthorized')
  if (base.code === 'provider_rejected_request' && saysContextIsFull(message))
    return verdict('INVALID', 'context_length_exceeded')
  // The day's allowance comes back at midnight: waiting for it in a loop would only spin.
  if (base.code === 'provider_rate_limited' && quotasIn(details).some((quota) => /PerDay/i.test(quota)))
    return verdict('RATE_LIMITED', 'provider_daily_limit')
  if (base.code === 'provider_unavailable' && /overloaded/i.test(message))
    return verdict('UNAVAILABLE', 'provider_overloaded', true)
  return base
}

const quotasIn = (details: Record<string, unknown>[]): string[] =>
  details.flatMap(({ violations }) =>
    Array.isArray(violations) ? violations.map((violation) => String(violation?.quotaId ?? '')) : [],
  )

/** `google.rpc.RetryInfo`: a duration as `38s` or `38.5s`. */
function delayIn(details: Record<string, unknown>[]): number | undefined {
  for (const { retryDelay } of details) {
    const seconds = /^(\d+(?:\.\d+)?)s$/.exec(String(retryDelay))?.[1]
    if (seconds !== undefined) return Math.round(Number(seconds) * 1000)
  }
  return undefined
}

/** The package hands the body on as the text of its error, at times with words before it. */
function errorIn(text: string): { error: GoogleError; own: boolean } {
  try {
    const body = JSON.parse(text.slice(text.indexOf('{'))) as { error?: unknown }
    const { error } = body
    if (typeof error === 'object' && error !== null)
      // A body that was no JSON comes wrapped like one, with the HTTP status' words for a status.
      return { error, own: typeof (error as GoogleError).status === 'string' && 'details' in error }
  } catch {
    // Not JSON: its text is what there is.
  }
  return { error: {}, own: false }
}
