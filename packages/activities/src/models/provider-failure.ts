import type { ErrorKind, Model } from '@devflow/contracts'
import { type ModelAdapter, ModelError } from './model.ts'

/** What a failure comes to, whoever the provider is. Codes are listed in docs/providers.md. */
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
  422: verdict('INVALID', 'provider_rejected_request'),
  425: verdict('UNAVAILABLE', 'provider_unavailable', true),
  429: verdict('RATE_LIMITED', 'provider_rate_limited', true),
  500: verdict('UNAVAILABLE', 'provider_failed', true),
  502: verdict('UNAVAILABLE', 'provider_unavailable', true),
  503: verdict('UNAVAILABLE', 'provider_unavailable', true),
  504: verdict('TIMEOUT', 'provider_timeout', true),
  524: verdict('TIMEOUT', 'provider_timeout', true),
  529: verdict('UNAVAILABLE', 'provider_overloaded', true),
}

/** The meaning of an HTTP status where its body says no more. */
export function verdictOfStatus(status: number): Verdict {
  const known = BY_STATUS[status]
  if (known) return known
  if (status >= 500) return verdict('UNAVAILABLE', 'provider_unavailable', true)
  return status >= 400
    ? verdict('INVALID', 'provider_rejected_request')
    : verdict('UNKNOWN', 'provider_invalid_response', true)
}

/** Who refused for the length of the conversation seldom has a code for it. */
export const saysContextIsFull = (message: string): boolean =>
  /context length|context window|prompt is too long|too many tokens|input token count/i.test(message)

/** A gateway that gave up waiting says nothing of what the provider went on to do. */
export const billedAt = (status: number, ownWords: boolean): 'no' | 'unknown' =>
  !ownWords && (status === 504 || status === 524) ? 'unknown' : 'no'

/** Makes the error; `secret` is kept out of its message, which is cut where it is long (I8). */
export function modelError(
  given: Verdict,
  message: string,
  more: {
    billed: 'no' | 'unknown'
    secret?: string | undefined
    retryAfterMs?: number | undefined
    affordableTokens?: number | undefined
  },
): ModelError {
  return new ModelError(given.kind, given.code, clean(message, more.secret), {
    retryable: given.retryable,
    billed: more.billed,
    ...(more.retryAfterMs === undefined ? {} : { retryAfterMs: more.retryAfterMs }),
    ...(more.affordableTokens === undefined ? {} : { affordableTokens: more.affordableTokens }),
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

/** What the network did to a call: any error that is not the provider's answer. `streaming`: the 200 has come. */
export function connectionFailure(failure: unknown, streaming: boolean, secret?: string): ModelError {
  if (failure instanceof SyntaxError)
    return modelError(
      verdict('UNAVAILABLE', 'provider_invalid_response', true),
      `the provider sent what cannot be read: ${failure.message}`,
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

/** The body ended, in good order or not, before the answer did. */
export const incompleteReply = (): ModelError =>
  modelError(
    verdict('UNAVAILABLE', 'provider_stream_incomplete', true),
    'the reply broke off before its end',
    {
      billed: 'unknown',
    },
  )

/** Nothing came for too long; keep-alives are nothing. */
export const stalledReply = (ms: number): ModelError =>
  modelError(verdict('TIMEOUT', 'provider_stalled', true), `no output for ${ms / 1000} s`, {
    billed: 'unknown',
  })

/** Stands in for an adapter whose key is missing: every call fails before anything is sent, and costs nothing. */
export function modelWithoutKey(variable: string): ModelAdapter {
  return {
    // biome-ignore lint/correctness/useYield: it never comes to a yield.
    async *stream({ model }: { model: Model }, signal: AbortSignal) {
      signal.throwIfAborted()
      throw modelError(
        verdict('PERMISSION_DENIED', 'provider_key_missing'),
        `There is no key for ${model.provider}: set ${variable}, or run \`devflow login ${model.provider}\`, and start the worker anew.`,
        { billed: 'no' },
      )
    },
    price: () => ({ input: 0, output: 0 }),
  }
}

/** Milliseconds of a `Retry-After` (seconds or a date); undefined where it says nothing. */
export function retryAfterMs(value: string | null | undefined, now = Date.now()): number | undefined {
  if (value === null || value === undefined) return undefined
  const wait = /^\d+(?:\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
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

function causeOf(failure: unknown): string {
  for (let error: unknown = failure; error instanceof Error; error = error.cause)
    if ('code' in error && typeof error.code === 'string') return error.code
  return failure instanceof Error ? failure.message : String(failure)
}

function clean(message: string, secret: string | undefined): string {
  const text = secret ? message.replaceAll(secret, '[secret]') : message
  return text.length > 1000 ? `${text.slice(0, 1000)}…` : text
}
