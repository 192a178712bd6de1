import type { ErrorReading } from '../openai-package.ts'
import {
  retryAfterMs,
  saysContextIsFull,
  type Verdict,
  verdict,
  verdictOfStatus,
} from '../provider-failure.ts'

/** The `code` or `type` of an error, which say more than the status they come with. */
const BY_CODE: Record<string, Verdict> = {
  context_length_exceeded: verdict('INVALID', 'context_length_exceeded'),
  string_above_max_length: verdict('INVALID', 'context_length_exceeded'),
  // Comes with 429, and does not pass.
  insufficient_quota: verdict('PERMISSION_DENIED', 'provider_credits_exhausted'),
  billing_hard_limit_reached: verdict('PERMISSION_DENIED', 'provider_credits_exhausted'),
  rate_limit_exceeded: verdict('RATE_LIMITED', 'provider_rate_limited', true),
  rate_limit_error: verdict('RATE_LIMITED', 'provider_rate_limited', true),
  invalid_api_key: verdict('PERMISSION_DENIED', 'provider_unauthorized'),
  model_not_found: verdict('NOT_FOUND', 'provider_model_not_found'),
  content_policy_violation: verdict('PERMISSION_DENIED', 'provider_moderation'),
  content_filter: verdict('PERMISSION_DENIED', 'provider_moderation'),
  invalid_prompt: verdict('PERMISSION_DENIED', 'provider_moderation'),
  bio_policy: verdict('PERMISSION_DENIED', 'provider_moderation'),
  server_error: verdict('UNAVAILABLE', 'provider_failed', true),
  server_is_overloaded: verdict('UNAVAILABLE', 'provider_overloaded', true),
  slow_down: verdict('UNAVAILABLE', 'provider_overloaded', true),
}

/** What many servers that speak as OpenAI does put there instead of words: a status. */
const statusIn = (code: unknown): number | undefined => {
  const status = Number(code)
  return Number.isInteger(status) && status >= 400 && status < 600 ? status : undefined
}

/** Reads the error object of OpenAI, and of those who speak as it does. */
export function readOpenAiError(
  said: unknown,
  status: number | undefined,
  headers: Headers | undefined,
): ErrorReading {
  const { code, type, message } = fieldsOf(said)
  const known = [code, type].flatMap((word) => (typeof word === 'string' ? (BY_CODE[word] ?? []) : []))[0]
  const at = status ?? statusIn(code)
  const base = at === undefined ? undefined : verdictOfStatus(at)
  const full = (base ?? known)?.kind !== 'RATE_LIMITED' && saysContextIsFull(message)
  return {
    given: full
      ? verdict('INVALID', 'context_length_exceeded')
      : // A server's own fault stays what its status says.
        base && at !== undefined && at >= 500
        ? base
        : (known ?? base),
    message,
    retryAfterMs: waitOf(headers),
  }
}

function fieldsOf(said: unknown): { code?: unknown; type?: unknown; message: string } {
  if (typeof said === 'string') return { message: said }
  if (typeof said !== 'object' || said === null) return { message: String(said) }
  const { code, type, message } = said as Record<string, unknown>
  return { code, type, message: typeof message === 'string' ? message : JSON.stringify(said) }
}

function waitOf(headers: Headers | undefined): number | undefined {
  const ms = headers?.get('retry-after-ms')
  return ms && /^\d+$/.test(ms) ? Number(ms) : retryAfterMs(headers?.get('retry-after'))
}
