import type { ErrorReading } from './openai-package.ts'
import {
  retryAfterMs,
  saysContextIsFull,
  type Verdict,
  verdict,
  verdictOfStatus,
} from './provider-failure.ts'

interface ForeignError {
  code?: unknown
  message?: unknown
  http_status?: unknown
  metadata?: Record<string, unknown>
  availability?: Record<string, unknown>
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

/** Reads OpenRouter's error object, which says more than the status it comes with. */
export function readOpenRouterError(
  said: unknown,
  status: number | undefined,
  headers: Headers | undefined,
): ErrorReading {
  const error = asForeign(said)
  return {
    given: verdictOf(status ?? statusIn(error), error),
    message: messageOf(error),
    affordableTokens: status === 402 ? affordable(messageOf(error)) : undefined,
    retryAfterMs: waitOf(error, headers, Date.now()),
  }
}

function verdictOf(status: number | undefined, error: ForeignError): Verdict | undefined {
  const type = error.metadata?.error_type
  const typed = typeof type === 'string' ? BY_TYPE[type] : undefined
  const base = typed ?? (status === undefined ? undefined : verdictOfStatus(status))
  if (!base) return undefined
  const refined = refine(base, status, error)
  const retryable = error.availability?.retryable
  return typeof retryable === 'boolean' ? { ...refined, retryable } : refined
}

/** What the status leaves open and only the body tells. */
function refine(base: Verdict, status: number | undefined, error: ForeignError): Verdict {
  const message = messageOf(error)
  const { reason, limit_source: source } = error.metadata ?? {}
  if (base.code === 'provider_rejected_request' && saysContextIsFull(message))
    return verdict('INVALID', 'context_length_exceeded')
  if (status === 402) {
    if (reason === 'in_flight_budget_exhausted')
      return verdict('RATE_LIMITED', 'provider_in_flight_budget', true)
    if (source === 'openrouter_key_limit') return verdict('PERMISSION_DENIED', 'provider_key_limit')
    if (affordable(message) !== undefined) return verdict('PERMISSION_DENIED', 'provider_credits_low')
  }
  if (status === 403 && Array.isArray(error.metadata?.reasons))
    return verdict('PERMISSION_DENIED', 'provider_moderation')
  // The day's allowance comes back at midnight UTC: waiting for it in a loop would only spin.
  if (status === 429 && /per-day/.test(message)) return verdict('RATE_LIMITED', 'provider_daily_limit')
  return base
}

/** Output tokens that the credits still pay for. */
function affordable(message: string): number | undefined {
  const tokens = /can only afford (\d+)/.exec(message)?.[1]
  return tokens === undefined ? undefined : Number(tokens)
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
  const after = retryAfterMs(header('retry-after'), now)
  if (after !== undefined) return after
  const hint = error.availability?.retry_after
  if (typeof hint === 'number') return hint * 1000
  const reset = Number(header('x-ratelimit-reset') ?? Number.NaN)
  if (!Number.isFinite(reset) || reset <= 0) return undefined
  // Epoch milliseconds by OpenRouter; seconds by others.
  return Math.max(0, Math.round(reset > 1e11 ? reset - now : reset * 1000 - now))
}

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
