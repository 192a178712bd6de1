import type { ErrorKind } from '@devflow/contracts'
import { ModelError } from './model.ts'

/** What a provider's error means to us. */
export interface Verdict {
  kind: ErrorKind
  code: string
  retryable: boolean
}

export const verdict = (kind: ErrorKind, code: string, retryable = false): Verdict => ({
  kind,
  code,
  retryable,
})

const BY_STATUS: Record<number, Verdict> = {
  400: verdict('INVALID', 'provider_rejected_request'),
  401: verdict('PERMISSION_DENIED', 'provider_unauthorized'),
  402: verdict('PERMISSION_DENIED', 'provider_credits_exhausted'),
  403: verdict('PERMISSION_DENIED', 'provider_forbidden'),
  404: verdict('NOT_FOUND', 'provider_model_not_found'),
  408: verdict('TIMEOUT', 'provider_timeout', true),
  409: verdict('UNAVAILABLE', 'provider_unavailable', true),
  413: verdict('INVALID', 'provider_payload_too_large'),
  425: verdict('UNAVAILABLE', 'provider_unavailable', true),
  429: verdict('RATE_LIMITED', 'provider_rate_limited', true),
  500: verdict('UNAVAILABLE', 'provider_failed', true),
  504: verdict('TIMEOUT', 'provider_timeout', true),
  524: verdict('TIMEOUT', 'provider_timeout', true),
  529: verdict('UNAVAILABLE', 'provider_overloaded', true),
}

/** What an HTTP status alone says, where the body says no more. */
export function byStatus(status: number): Verdict {
  const known = BY_STATUS[status]
  if (known) return known
  if (status >= 500) return verdict('UNAVAILABLE', 'provider_unavailable', true)
  return status >= 400
    ? verdict('INVALID', 'provider_rejected_request')
    : verdict('UNKNOWN', 'provider_invalid_response', true)
}

export const STALLED = verdict('TIMEOUT', 'provider_stalled', true)
export const INCOMPLETE = verdict('UNAVAILABLE', 'provider_stream_incomplete', true)

/** A `ModelError` for a verdict. `secret` is kept out of the message (I8). */
export function modelError(
  given: Verdict,
  message: string,
  more: { billed: 'no' | 'unknown'; retryAfterMs?: number | undefined; secret?: string | undefined },
): ModelError {
  const text = more.secret ? message.replaceAll(more.secret, '[secret]') : message
  return new ModelError(given.kind, given.code, text.length > 1000 ? `${text.slice(0, 1000)}…` : text, {
    retryable: given.retryable,
    billed: more.billed,
    ...(more.retryAfterMs === undefined ? {} : { retryAfterMs: more.retryAfterMs }),
  })
}

/** Failures of the connection before a request can have left; after any other the provider may have billed. */
const NEVER_SENT = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

/**
 * What is left when a provider said nothing itself: a body that is no JSON, or a connection that broke. `streaming`:
 * the 200 has come, so the call may be billed.
 */
export function transportError(failure: unknown, streaming: boolean, secret?: string): ModelError {
  if (failure instanceof SyntaxError)
    return modelError(
      verdict('UNAVAILABLE', 'provider_invalid_response', true),
      `the provider sent what is no JSON: ${failure.message}`,
      { billed: 'unknown', secret },
    )
  const cause = causeOf(failure)
  if (!streaming && NEVER_SENT.has(cause))
    return modelError(
      verdict('UNAVAILABLE', 'provider_unreachable', true),
      `the provider cannot be reached (${cause})`,
      { billed: 'no', secret },
    )
  return modelError(
    verdict('UNAVAILABLE', 'provider_connection_lost', true),
    `the connection to the provider broke (${cause})`,
    { billed: 'unknown', secret },
  )
}

function causeOf(failure: unknown): string {
  for (let error: unknown = failure; error instanceof Error; error = error.cause)
    if ('code' in error && typeof error.code === 'string') return error.code
  return failure instanceof Error ? failure.message : String(failure)
}

/** Milliseconds of a `Retry-After` header, in seconds or as a date. */
export function retryAfter(header: string | null | undefined, now: number): number | undefined {
  if (!header) return undefined
  const wait = /^\d+(?:\.\d+)?$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isFinite(wait) ? Math.max(0, Math.round(wait)) : undefined
}

/** The start of a body that is no JSON, without its tags. */
export const snippet = (body: string): string =>
  body
    .replace(/<(style|script)\b[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200)

/** A value's fields, none where it has none. */
export const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}
