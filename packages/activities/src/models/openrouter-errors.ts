import type { ErrorKind } from '@devflow/contracts'
import { APIConnectionError, APIConnectionTimeoutError, APIError, OpenAIError } from 'openai'
import { ModelError } from './model.ts'

/** An error that came inside an answer that had begun with 200. */
export class InBandError extends Error {
  override readonly name = 'InBandError'
  /** The `error` member as it came. */
  readonly error: unknown
  constructor(error: unknown) {
    super('the provider reported an error in its answer')
    this.error = error
  }
}

interface Verdict {
  kind: ErrorKind
  code: string
  retryable: boolean
}

interface ForeignError {
  code?: unknown
  message?: unknown
  http_status?: unknown
  metadata?: Record<string, unknown>
  availability?: Record<string, unknown>
}

const verdict = (kind: ErrorKind, code: string, retryable = false): Verdict => ({ kind, code, retryable })

const BY_STATUS: Record<number, Verdict> = {
  400: verdict('INVALID', 'provider_rejected_request'),
  401: verdict('PERMISSION_DENIED', 'provider_unauthorized'),
  402: verdict('PERMISSION_DENIED', 'provider_credits_exhausted'),
  403: verdict('PERMISSION_DENIED', 'provider_forbidden'),
  404: verdict('NOT_FOUND', 'provider_model_not_found'),
  408: verdict('TIMEOUT', 'provider_timeout', true),
  413: verdict('INVALID', 'provider_payload_too_large'),
  422: verdict('INVALID', 'provider_rejected_request'),
  429: verdict('RATE_LIMITED', 'provider_rate_limited', true),
  500: verdict('UNAVAILABLE', 'provider_failed', true),
  502: verdict('UNAVAILABLE', 'provider_unavailable', true),
  503: verdict('UNAVAILABLE', 'provider_unavailable', true),
  504: verdict('TIMEOUT', 'provider_timeout', true),
  524: verdict('TIMEOUT', 'provider_timeout', true),
  529: verdict('UNAVAILABLE', 'provider_overloaded', true),
}

/** OpenRouter's `metadata.error_type`, which says more than the status beside it. */
const BY_TYPE: Record<string, Verdict> = {
  context_length_exceeded: verdict('INVALID', 'context_length_exceeded'),
  token_limit_exceeded: verdict('INVALID', 'context_length_exceeded'),
  string_too_long: verdict('INVALID', 'context_length_exceeded'),
  max_tokens_exceeded: verdict('INVALID', 'max_tokens_exceeded'),
  content_policy_violation: verdict('PERMISSION_DENIED', 'provider_moderation'),
  refusal: verdict('PERMISSION_DENIED', 'provider_moderation'),
  rate_limit_exceeded: verdict('RATE_LIMITED', 'provider_rate_limited', true),
  provider_overloaded: verdict('UNAVAILABLE', 'provider_overloaded', true),
  provider_unavailable: verdict('UNAVAILABLE', 'provider_unavailable', true),
  server: verdict('UNAVAILABLE', 'provider_failed', true),
  timeout: verdict('TIMEOUT', 'provider_timeout', true),
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
 * Maps whatever a call threw to a `ModelError`. `streaming`: the 200 has come, so it may be billed. `secret` is kept
 * out of the message; foreign errors are not attached as a cause, for they hold headers and bodies (I8).
 */
export function modelErrorOf(
  failure: unknown,
  context: { streaming: boolean; secret?: string; now?: number },
): ModelError {
  if (failure instanceof ModelError) return failure
  const now = context.now ?? Date.now()
  const make = (given: Verdict, message: string, billed: 'no' | 'unknown', retryAfterMs?: number) =>
    new ModelError(given.kind, given.code, clean(message, context.secret), {
      retryable: given.retryable,
      billed,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    })

  if (failure instanceof InBandError) {
    const error = asForeign(failure.error)
    const status = statusIn(error)
    const given = verdictOf(status, error) ?? verdict('UNAVAILABLE', 'provider_failed', true)
    return make(given, `the provider failed: ${messageOf(error)}`, 'unknown', waitOf(error, undefined, now))
  }
  if (failure instanceof APIConnectionTimeoutError)
    return make(
      verdict('TIMEOUT', 'provider_timeout', true),
      'the provider did not answer in time',
      'unknown',
    )
  if (failure instanceof APIConnectionError || !(failure instanceof APIError)) {
    if (failure instanceof SyntaxError)
      return make(
        verdict('UNAVAILABLE', 'provider_invalid_response', true),
        `the provider sent what is no JSON: ${failure.message}`,
        'unknown',
      )
    if (failure instanceof OpenAIError && !(failure instanceof APIError))
      return make(verdict('INVALID', 'provider_request_failed'), failure.message, 'no')
    const cause = causeOf(failure)
    if (!context.streaming && NEVER_SENT.has(cause))
      return make(
        verdict('UNAVAILABLE', 'provider_unreachable', true),
        `the provider cannot be reached (${cause})`,
        'no',
      )
    return make(
      verdict('UNAVAILABLE', 'provider_connection_lost', true),
      `the connection to the provider broke (${cause})`,
      'unknown',
    )
  }

  const status = failure.status ?? 0
  const error = asForeign(failure.error)
  const own = failure.error !== undefined && failure.error !== null
  const given = verdictOf(status, error) ?? bySpan(status)
  // A gateway that gave up waiting says nothing of what the provider went on to do.
  const billed = !own && (status === 504 || status === 524) ? 'unknown' : 'no'
  const said = own ? messageOf(error) : snippet(failure.message)
  return make(given, `the provider answered ${status}: ${said}`, billed, waitOf(error, failure.headers, now))
}

function bySpan(status: number): Verdict {
  if (status >= 500) return verdict('UNAVAILABLE', 'provider_unavailable', true)
  if (status === 409 || status === 425) return verdict('UNAVAILABLE', 'provider_unavailable', true)
  return status >= 400
    ? verdict('INVALID', 'provider_rejected_request')
    : verdict('UNKNOWN', 'provider_invalid_response', true)
}

function verdictOf(status: number | undefined, error: ForeignError): Verdict | undefined {
  const type = error.metadata?.error_type
  const typed = typeof type === 'string' ? BY_TYPE[type] : undefined
  const base = typed ?? (status === undefined ? undefined : (BY_STATUS[status] ?? bySpan(status)))
  if (!base) return undefined
  const refined = refine(base, status, error)
  const retryable = error.availability?.retryable
  return typeof retryable === 'boolean' ? { ...refined, retryable } : refined
}

/** What the status leaves open and only the body tells. */
function refine(base: Verdict, status: number | undefined, error: ForeignError): Verdict {
  const message = messageOf(error)
  const { reason, limit_source: source } = error.metadata ?? {}
  if (
    base.code === 'provider_rejected_request' &&
    /context length|prompt is too long|too many tokens/i.test(message)
  )
    return verdict('INVALID', 'context_length_exceeded')
  if (status === 402) {
    if (reason === 'in_flight_budget_exhausted')
      return verdict('RATE_LIMITED', 'provider_in_flight_budget', true)
    if (source === 'openrouter_key_limit') return verdict('PERMISSION_DENIED', 'provider_key_limit')
    if (/can only afford \d+/.test(message)) return verdict('PERMISSION_DENIED', 'provider_credits_low')
  }
  if (status === 403 && Array.isArray(error.metadata?.reasons))
    return verdict('PERMISSION_DENIED', 'provider_moderation')
  // The day's allowance comes back at midnight UTC: waiting for it in a loop would only spin.
  if (status === 429 && /per-day/.test(message)) return verdict('RATE_LIMITED', 'provider_daily_limit')
  return base
}

function statusIn(error: ForeignError): number | undefined {
  const code = Number(error.code ?? error.http_status)
  return Number.isInteger(code) && code >= 400 && code < 600 ? code : undefined
}

/** The readable text: an upstream's own words where OpenRouter only says that there are some. */
function messageOf(error: ForeignError): string {
  const { raw, reasons, provider_name: provider } = error.metadata ?? {}
  const message = typeof error.message === 'string' ? error.message : JSON.stringify(error)
  const upstream = typeof raw === 'string' && raw !== '' ? rawMessage(raw) : undefined
  const from = typeof provider === 'string' ? ` (${provider})` : ''
  if (upstream !== undefined) return `${upstream}${from}`
  return Array.isArray(reasons) ? `${message}: ${reasons.join(', ')}${from}` : message
}

function rawMessage(raw: string): string {
  try {
    const parsed = JSON.parse(raw) as { error?: { message?: unknown }; message?: unknown } | null
    const message = parsed?.error?.message ?? parsed?.message
    return typeof message === 'string' ? message : raw
  } catch {
    return raw
  }
}

/** Milliseconds to wait as the answer says: `Retry-After`, the availability's hint, or the limit's reset. */
function waitOf(error: ForeignError, headers: Headers | undefined, now: number): number | undefined {
  const inside = asRecord(error.metadata?.headers)
  const header = (name: string): string | undefined =>
    headers?.get(name) ??
    Object.entries(inside)
      .filter(([key]) => key.toLowerCase() === name)
      .map(([, value]) => String(value))[0]
  const after = header('retry-after')
  if (after !== undefined) {
    const wait = /^\d+(?:\.\d+)?$/.test(after) ? Number(after) * 1000 : Date.parse(after) - now
    if (Number.isFinite(wait)) return Math.max(0, Math.round(wait))
  }
  const hint = error.availability?.retry_after
  if (typeof hint === 'number') return hint * 1000
  const reset = Number(header('x-ratelimit-reset') ?? Number.NaN)
  if (!Number.isFinite(reset) || reset <= 0) return undefined
  // Epoch milliseconds by OpenRouter; seconds by others.
  return Math.max(0, Math.round(reset > 1e11 ? reset - now : reset * 1000 - now))
}

function causeOf(failure: unknown): string {
  for (let error: unknown = failure; error instanceof Error; error = error.cause)
    if ('code' in error && typeof error.code === 'string') return error.code
  return failure instanceof Error ? failure.message : String(failure)
}

function clean(message: string, secret: string | undefined): string {
  const text = secret ? message.replaceAll(secret, '[secret]') : message
  return text.length > 1000 ? `${text.slice(0, 1000)}…` : text
}

/** The start of a body that is no JSON, without its tags. */
const snippet = (body: string): string =>
  body
    .replace(/<(style|script)\b[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200)

const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

function asForeign(error: unknown): ForeignError {
  const record = asRecord(error)
  if (typeof error === 'string') return { message: error }
  return {
    ...record,
    metadata: asRecord(record.metadata),
    ...(record.availability === undefined ? {} : { availability: asRecord(record.availability) }),
  }
}
