import { expect, test } from 'vitest'
import { OllamaRefusal, ollamaError } from './errors.ts'

const mapped = (failure: unknown, streaming = false) =>
  ollamaError(failure, { model: 'qwen3', host: 'http://127.0.0.1:11434', streaming, secret: 'key-1', now: 0 })

const answered = (status: number | undefined, error: string, retryAfter: string | null = null) =>
  new OllamaRefusal(status, JSON.stringify({ error }), retryAfter)

test.each<[string, number, string, string, string, boolean]>([
  [
    'a model that was not pulled',
    404,
    "model 'qwen3' not found",
    'NOT_FOUND',
    'provider_model_not_found',
    false,
  ],
  [
    'the same of older versions',
    404,
    'model "qwen3" not found, try pulling it first',
    'NOT_FOUND',
    'provider_model_not_found',
    false,
  ],
  [
    'a model without tools',
    400,
    'registry.ollama.ai/library/gemma:2b does not support tools',
    'INVALID',
    'provider_rejected_request',
    false,
  ],
  [
    'too long a conversation',
    400,
    'the input length exceeds the context length',
    'INVALID',
    'context_length_exceeded',
    false,
  ],
  [
    'the same of its runner',
    500,
    'the request exceeds the available context size, try increasing it',
    'INVALID',
    'context_length_exceeded',
    false,
  ],
  [
    'a full queue',
    503,
    'server busy, please try again.  maximum pending requests exceeded',
    'UNAVAILABLE',
    'provider_overloaded',
    true,
  ],
  [
    'too little memory',
    500,
    'model requires more system memory (9.3 GiB) than is available (5.1 GiB)',
    'UNAVAILABLE',
    'provider_out_of_memory',
    false,
  ],
  [
    'a runner that died',
    500,
    'llama runner process has terminated: exit status 2',
    'UNAVAILABLE',
    'provider_failed',
    true,
  ],
  ['a rate limit of the cloud', 429, 'too many requests', 'RATE_LIMITED', 'provider_rate_limited', true],
  ['a missing key of the cloud', 401, 'unauthorized', 'PERMISSION_DENIED', 'provider_unauthorized', false],
  ['a bad gateway', 502, 'upstream connect error', 'UNAVAILABLE', 'provider_unavailable', true],
])('a refusal for %s', (_, status, error, kind, code, retryable) => {
  const failure = mapped(answered(status, error))
  expect(failure).toMatchObject({ kind, code, retryable, billed: 'no' })
  expect(failure.message).toContain(error.split('(')[0]?.trim().split('  ')[0])
})

test('a model that was not pulled says how to have it', () => {
  expect(mapped(answered(404, "model 'qwen3' not found")).message).toContain('ollama pull qwen3')
})

test('a wait is taken over', () => {
  expect(mapped(answered(429, 'too many requests', '5')).retryAfterMs).toBe(5_000)
})

test.each<[string, unknown, boolean, string, string]>([
  [
    'an error within a stream',
    answered(undefined, 'an error was encountered while running the model: unexpected EOF'),
    true,
    'provider_failed',
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
  ['a line that is no JSON', new SyntaxError('Unexpected end'), true, 'provider_invalid_response', 'unknown'],
])('%s', (_, failure, streaming, code, billed) => {
  expect(mapped(failure, streaming)).toMatchObject({ code, billed })
})
