import { googleError as wire } from '@devflow/testing'
import * as sdk from '@google/genai'
import { expect, test } from 'vitest'
import { googleErrorOf } from './errors.ts'

const answered = (status: number, body: unknown) =>
  new sdk.ApiError({ status, message: JSON.stringify(body) })
const mapped = (failure: unknown, streaming = false) =>
  googleErrorOf(failure, { sdk, streaming, secret: 'AIza-1' })

test.each<[string, number, unknown, string, string, boolean]>([
  ['a bad request', 400, wire(400, 'Invalid value'), 'INVALID', 'provider_rejected_request', false],
  [
    'a key it does not know',
    400,
    {
      error: {
        code: 400,
        message: 'API key not valid.',
        status: 'INVALID_ARGUMENT',
        details: [{ reason: 'API_KEY_INVALID' }],
      },
    },
    'PERMISSION_DENIED',
    'provider_unauthorized',
    false,
  ],
  [
    'too long a prompt',
    400,
    wire(400, 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).'),
    'INVALID',
    'context_length_exceeded',
    false,
  ],
  [
    'a place it does not serve',
    400,
    {
      error: {
        code: 400,
        message: 'User location is not supported for the API use.',
        status: 'FAILED_PRECONDITION',
      },
    },
    'INVALID',
    'provider_rejected_request',
    false,
  ],
  ['no permission', 403, wire(403, 'no'), 'PERMISSION_DENIED', 'provider_forbidden', false],
  [
    'no such model',
    404,
    wire(404, 'models/gemini-0 is not found'),
    'NOT_FOUND',
    'provider_model_not_found',
    false,
  ],
  [
    'too large a body',
    413,
    { error: { code: 413, message: 'no', status: 'Payload Too Large' } },
    'INVALID',
    'provider_payload_too_large',
    false,
  ],
  ['a quota', 429, wire(429, 'no'), 'RATE_LIMITED', 'provider_rate_limited', true],
  ['a fault of its own', 500, wire(500, 'no'), 'UNAVAILABLE', 'provider_failed', true],
  [
    'overload',
    503,
    wire(503, 'The model is overloaded. Please try again later.'),
    'UNAVAILABLE',
    'provider_overloaded',
    true,
  ],
  ['unavailability', 503, wire(503, 'no'), 'UNAVAILABLE', 'provider_unavailable', true],
  ['a deadline', 504, wire(504, 'no'), 'TIMEOUT', 'provider_timeout', true],
  [
    'a gateway’s page',
    502,
    { error: { message: '<html><h1>Bad gateway</h1></html>', code: 502, status: 'Bad Gateway' } },
    'UNAVAILABLE',
    'provider_unavailable',
    true,
  ],
])('a refusal for %s (%s)', (_, status, body, kind, code, retryable) => {
  expect(mapped(answered(status, body))).toMatchObject({ kind, code, retryable, billed: 'no' })
})

test.each<[string, unknown, boolean, string, string]>([
  [
    'an error within a stream',
    new sdk.ApiError({ status: 503, message: `got status: UNAVAILABLE. ${JSON.stringify(wire(503, 'no'))}` }),
    true,
    'provider_unavailable',
    'unknown',
  ],
  [
    'an error within a stream, after a while',
    new sdk.ApiError({
      status: 429,
      message: `got status: RESOURCE_EXHAUSTED. ${JSON.stringify(wire(429, 'no'))}`,
    }),
    true,
    'provider_rate_limited',
    'unknown',
  ],
  [
    'a gateway that gave up waiting',
    answered(504, { error: { message: '', code: 504, status: 'Gateway Timeout' } }),
    false,
    'provider_timeout',
    'unknown',
  ],
  [
    'nobody listening',
    new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) }),
    false,
    'provider_unreachable',
    'no',
  ],
  [
    'a connection that breaks',
    new TypeError('terminated', { cause: Object.assign(new Error('x'), { code: 'UND_ERR_SOCKET' }) }),
    true,
    'provider_connection_lost',
    'unknown',
  ],
  [
    'a body that breaks off',
    new Error('Incomplete JSON segment at the end'),
    true,
    'provider_connection_lost',
    'unknown',
  ],
  ['what is no JSON', new SyntaxError('Unexpected token'), true, 'provider_invalid_response', 'unknown'],
])('%s', (_, failure, streaming, code, billed) => {
  expect(mapped(failure, streaming)).toMatchObject({ code, billed })
})

test('the key is never told', () => {
  expect(mapped(answered(403, wire(403, 'bad AIza-1'))).message).toBe(
    'the provider answered 403: bad [secret]',
  )
})
