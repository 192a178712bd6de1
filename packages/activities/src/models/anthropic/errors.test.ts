import * as sdk from '@anthropic-ai/sdk'
import { anthropicError as wire } from '@devflow/testing'
import { describe, expect, test } from 'vitest'
import { anthropicError } from './errors.ts'

const NOW = Date.parse('2026-11-01T00:00:00Z')

const answered = (status: number, body: object | undefined, headers: Record<string, string> = {}) =>
  sdk.APIError.generate(
    status,
    body,
    body === undefined ? '<html><h1>Bad gateway</h1></html>' : undefined,
    new Headers(headers),
  )

const mapped = (failure: unknown, streaming = false) =>
  anthropicError(failure, { sdk, streaming, secret: 'sk-ant-1', now: NOW })

const detailed = (type: string, code: string) => ({
  type: 'error',
  error: { type, message: 'no', details: { error_code: code } },
})

describe('a refusal by Anthropic', () => {
  test.each<[string, number, object | undefined, string, string, boolean]>([
    [
      'a bad request',
      400,
      wire('invalid_request_error', 'max_tokens: Field required'),
      'INVALID',
      'provider_rejected_request',
      false,
    ],
    [
      'too long a prompt',
      400,
      wire('invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'),
      'INVALID',
      'context_length_exceeded',
      false,
    ],
    [
      'prompt and output too long',
      400,
      wire(
        'invalid_request_error',
        'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000',
      ),
      'INVALID',
      'context_length_exceeded',
      false,
    ],
    [
      'no credit',
      400,
      wire('invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'),
      'PERMISSION_DENIED',
      'provider_credits_exhausted',
      false,
    ],
    ['billing', 402, wire('billing_error', 'no'), 'PERMISSION_DENIED', 'provider_credits_exhausted', false],
    [
      'a bad key',
      401,
      wire('authentication_error', 'invalid x-api-key'),
      'PERMISSION_DENIED',
      'provider_unauthorized',
      false,
    ],
    ['no permission', 403, wire('permission_error', 'no'), 'PERMISSION_DENIED', 'provider_forbidden', false],
    [
      'no such model',
      404,
      wire('not_found_error', 'model: claude-none'),
      'NOT_FOUND',
      'provider_model_not_found',
      false,
    ],
    [
      'too large a body',
      413,
      wire('request_too_large', 'no'),
      'INVALID',
      'provider_payload_too_large',
      false,
    ],
    ['a rate limit', 429, wire('rate_limit_error', 'no'), 'RATE_LIMITED', 'provider_rate_limited', true],
    [
      'a spend limit',
      429,
      detailed('rate_limit_error', 'enforced_spend_limit_reached'),
      'PERMISSION_DENIED',
      'provider_credits_exhausted',
      false,
    ],
    [
      'a ramp limit',
      429,
      detailed('rate_limit_error', 'ramp_limit_exceeded'),
      'RATE_LIMITED',
      'provider_rate_limited',
      true,
    ],
    [
      'a fault of its own',
      500,
      wire('api_error', 'Internal server error'),
      'UNAVAILABLE',
      'provider_failed',
      true,
    ],
    ['a timeout', 504, wire('timeout_error', 'no'), 'TIMEOUT', 'provider_timeout', true],
    ['overload', 529, wire('overloaded_error', 'Overloaded'), 'UNAVAILABLE', 'provider_overloaded', true],
    ['a gateway’s page', 502, undefined, 'UNAVAILABLE', 'provider_unavailable', true],
    ['a status of tomorrow', 599, wire('new_error', 'no'), 'UNAVAILABLE', 'provider_unavailable', true],
  ])('for %s (%s)', (_, status, body, kind, code, retryable) => {
    expect(mapped(answered(status, body))).toMatchObject({ kind, code, retryable, billed: 'no' })
  })

  test('says how long to wait, in seconds or as a date', () => {
    const limited = (after: string) =>
      mapped(answered(429, wire('rate_limit_error', 'no'), { 'retry-after': after })).retryAfterMs
    expect(limited('7')).toBe(7_000)
    expect(limited('Sun, 01 Nov 2026 00:00:30 GMT')).toBe(30_000)
  })

  test('by a gateway that gave up waiting may be billed', () => {
    expect(mapped(answered(504, undefined))).toMatchObject({ code: 'provider_timeout', billed: 'unknown' })
  })

  test('never tells the key', () => {
    expect(mapped(answered(401, wire('authentication_error', 'bad sk-ant-1'))).message).toBe(
      'the provider answered 401: bad [secret]',
    )
  })
})

describe('an error within a stream', () => {
  const inBand = (type: string, message = 'no') => {
    const body = wire(type, message)
    return new sdk.APIError(undefined, body, undefined, new Headers(), type as sdk.APIError['type'])
  }

  test.each([
    ['overloaded_error', 'UNAVAILABLE', 'provider_overloaded', true],
    ['api_error', 'UNAVAILABLE', 'provider_failed', true],
    ['rate_limit_error', 'RATE_LIMITED', 'provider_rate_limited', true],
    ['timeout_error', 'TIMEOUT', 'provider_timeout', true],
    ['invalid_request_error', 'INVALID', 'provider_rejected_request', false],
    ['error_of_tomorrow', 'UNAVAILABLE', 'provider_failed', true],
  ])('%s is %s %s, and may be billed', (type, kind, code, retryable) => {
    expect(mapped(inBand(type), true)).toMatchObject({ kind, code, retryable, billed: 'unknown' })
  })
})

describe('a failure on the way', () => {
  test.each<[string, unknown, boolean, string, string]>([
    [
      'nobody listens',
      new sdk.APIConnectionError({ cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) }),
      false,
      'provider_unreachable',
      'no',
    ],
    [
      'the connection breaks',
      new sdk.APIConnectionError({ cause: Object.assign(new Error('x'), { code: 'ECONNRESET' }) }),
      false,
      'provider_connection_lost',
      'unknown',
    ],
    [
      'the body breaks off',
      new TypeError('terminated', { cause: Object.assign(new Error('x'), { code: 'UND_ERR_SOCKET' }) }),
      true,
      'provider_connection_lost',
      'unknown',
    ],
    [
      'the package gives up waiting',
      new sdk.APIConnectionTimeoutError({}),
      false,
      'provider_timeout',
      'unknown',
    ],
    [
      'an event is no JSON',
      new SyntaxError('Unexpected token'),
      true,
      'provider_invalid_response',
      'unknown',
    ],
    [
      'the package refuses the request',
      new sdk.AnthropicError('Could not resolve authentication method'),
      false,
      'provider_request_failed',
      'no',
    ],
  ])('%s', (_, failure, streaming, code, billed) => {
    expect(mapped(failure, streaming)).toMatchObject({ code, billed })
  })
})
