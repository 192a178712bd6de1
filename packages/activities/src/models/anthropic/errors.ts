import type * as Sdk from '@anthropic-ai/sdk'
import { ModelError } from '../model.ts'
import {
  billedAt,
  connectionFailure,
  modelError,
  retryAfterMs,
  saysContextIsFull,
  snippet,
  type Verdict,
  verdict,
  verdictOfStatus,
} from '../provider-failure.ts'

const CREDITS = verdict('PERMISSION_DENIED', 'provider_credits_exhausted')

/** The API's `error.type`, which is all that an error within a stream has. */
const BY_TYPE: Record<string, Verdict> = {
  invalid_request_error: verdict('INVALID', 'provider_rejected_request'),
  authentication_error: verdict('PERMISSION_DENIED', 'provider_unauthorized'),
  billing_error: CREDITS,
  permission_error: verdict('PERMISSION_DENIED', 'provider_forbidden'),
  not_found_error: verdict('NOT_FOUND', 'provider_model_not_found'),
  request_too_large: verdict('INVALID', 'provider_payload_too_large'),
  rate_limit_error: verdict('RATE_LIMITED', 'provider_rate_limited', true),
  timeout_error: verdict('TIMEOUT', 'provider_timeout', true),
  api_error: verdict('UNAVAILABLE', 'provider_failed', true),
  overloaded_error: verdict('UNAVAILABLE', 'provider_overloaded', true),
}

/** A 429 that waiting does not cure: money has run out, not capacity. */
const SPENT = /_spend_limit_reached$|^linked_organization_billing/

/** Maps whatever a call threw to a `ModelError`. `sdk` is handed in, because it is loaded only when it is used. */
export function anthropicError(
  failure: unknown,
  context: { sdk: typeof Sdk; streaming: boolean; secret?: string; now?: number },
): ModelError {
  if (failure instanceof ModelError) return failure
  const { sdk, streaming, secret } = context
  if (failure instanceof sdk.APIConnectionTimeoutError)
    return modelError(verdict('TIMEOUT', 'provider_timeout', true), 'the provider did not answer in time', {
      billed: 'unknown',
    })
  if (failure instanceof sdk.APIConnectionError) return connectionFailure(failure, streaming, secret)
  if (failure instanceof sdk.APIError) return refusal(failure, streaming, secret, context.now)
  if (failure instanceof sdk.AnthropicError)
    return modelError(verdict('INVALID', 'provider_request_failed'), failure.message, {
      billed: 'no',
      secret,
    })
  return connectionFailure(failure, streaming, secret)
}

function refusal(
  failure: Sdk.APIError,
  streaming: boolean,
  secret: string | undefined,
  now: number | undefined,
): ModelError {
  const status = failure.status as number | undefined
  const own = failure.apiMessage
  const message = own ?? snippet(typeof failure.error === 'string' ? failure.error : failure.message)
  const said = streaming ? `the provider failed: ${message}` : `the provider answered ${status}: ${message}`
  return modelError(verdictOf(failure, status, message), said, {
    billed: streaming ? 'unknown' : billedAt(status ?? 0, own !== null),
    secret,
    retryAfterMs: retryAfterMs(failure.headers?.get('retry-after'), now),
  })
}

function verdictOf(failure: Sdk.APIError, status: number | undefined, message: string): Verdict {
  const typed = failure.type === null ? undefined : BY_TYPE[failure.type]
  const base =
    typed ??
    (status === undefined ? verdict('UNAVAILABLE', 'provider_failed', true) : verdictOfStatus(status))
  if (failure.errorCode !== null && SPENT.test(failure.errorCode)) return CREDITS
  // Before `billing_error` there was this.
  if (/credit balance is too low/i.test(message)) return CREDITS
  if (
    base.code === 'provider_rejected_request' &&
    (saysContextIsFull(message) || /context limit/i.test(message))
  )
    return verdict('INVALID', 'context_length_exceeded')
  // 500 is `api_error` by its type, but so are 502 and 503 of the gateways before it.
  if (failure.type === 'api_error' && status !== undefined && status > 500) return verdictOfStatus(status)
  return base
}
