import { createServer } from 'node:net'
import { type ErrorName, type FakeOpenRouter, type HttpError, startFakeOpenRouter } from '@devflow/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ModelError } from './model.ts'
import { openRouterModel } from './openrouter.ts'

const KEY = 'sk-or-v1-secret-of-the-test'
let fake: FakeOpenRouter

beforeEach(async () => {
  fake = await startFakeOpenRouter()
})
afterEach(() => fake.close())

async function failureAt(baseURL: string): Promise<ModelError> {
  const model = openRouterModel({ apiKey: KEY, baseURL })
  const request = {
    model: { provider: 'openrouter' as const, name: 'deepseek/deepseek-chat' },
    messages: [{ role: 'user' as const, content: 'hello' }],
    tools: [],
    maxOutputTokens: 100,
    sessionId: 's',
    phase: 'p',
    attempt: 1,
    turn: 1,
  }
  try {
    for await (const _ of model.stream(request, new AbortController().signal));
  } catch (error) {
    if (error instanceof ModelError) return error
    throw error
  }
  throw new Error('expected a failure')
}

const failure = (scenario: ErrorName) => {
  fake.script(() => ({ scenario }))
  return failureAt(fake.baseURL)
}
const failureOf = (error: HttpError) => {
  fake.script(() => ({ error }))
  return failureAt(fake.baseURL)
}

describe('an answer other than 200', () => {
  test.each<[ErrorName, string, string, boolean, RegExp]>([
    ['400', 'INVALID', 'provider_rejected_request', false, /nosuch is not a valid model ID/],
    ['400_context', 'INVALID', 'context_length_exceeded', false, /maximum context length/],
    ['400_upstream', 'INVALID', 'provider_rejected_request', false, /must be passed back \(DeepSeek\)/],
    ['401', 'PERMISSION_DENIED', 'provider_unauthorized', false, /No auth credentials/],
    ['402', 'PERMISSION_DENIED', 'provider_credits_low', false, /can only afford 511/],
    ['402_in_flight', 'RATE_LIMITED', 'provider_in_flight_budget', true, /in flight/],
    ['402_key_limit', 'PERMISSION_DENIED', 'provider_key_limit', false, /Key limit/],
    ['402_weight', 'PERMISSION_DENIED', 'provider_credits_exhausted', false, /remaining balance/],
    ['403', 'PERMISSION_DENIED', 'provider_forbidden', false, /region/],
    ['403_moderation', 'PERMISSION_DENIED', 'provider_moderation', false, /violence \(OpenAI\)/],
    ['404', 'NOT_FOUND', 'provider_model_not_found', false, /No endpoints found/],
    ['404_tools', 'NOT_FOUND', 'provider_model_not_found', false, /tool use/],
    ['408', 'TIMEOUT', 'provider_timeout', true, /timed out/],
    ['413', 'INVALID', 'provider_payload_too_large', false, /too large/],
    ['422', 'INVALID', 'provider_rejected_request', false, /Unprocessable/],
    ['429', 'RATE_LIMITED', 'provider_rate_limited', true, /temporarily rate-limited upstream/],
    ['429_retry_after', 'RATE_LIMITED', 'provider_rate_limited', true, /Rate limit/],
    ['429_reset_ms', 'RATE_LIMITED', 'provider_rate_limited', true, /per-min/],
    ['429_daily', 'RATE_LIMITED', 'provider_daily_limit', false, /per-day/],
    ['500', 'UNAVAILABLE', 'provider_failed', true, /Internal Server Error/],
    ['502', 'UNAVAILABLE', 'provider_unavailable', true, /invalid response/],
    ['503', 'UNAVAILABLE', 'provider_unavailable', true, /No instances/],
    ['503_availability', 'UNAVAILABLE', 'provider_unavailable', false, /gone upstream/],
    ['504', 'TIMEOUT', 'provider_timeout', true, /Upstream timed out/],
    ['529', 'UNAVAILABLE', 'provider_overloaded', true, /overloaded/],
    ['html_502', 'UNAVAILABLE', 'provider_unavailable', true, /502: Bad gateway/],
  ])('of %s is a %s %s and surely not billed', async (scenario, kind, code, retryable, message) => {
    const error = await failure(scenario)
    expect(error).toMatchObject({ kind, code, retryable, billed: 'no' })
    expect(error.message).toMatch(message)
    expect(fake.billedMicroUsd()).toBe(0)
  })

  test('of a gateway that gave up waiting may be billed', async () => {
    expect(await failure('524')).toMatchObject({
      kind: 'TIMEOUT',
      code: 'provider_timeout',
      retryable: true,
      billed: 'unknown',
    })
  })

  test.each([418, 409, 599])('of status %s, which nobody documents, has a kind too', async (status) => {
    const error = await failureOf({ status, body: { error: { code: status, message: 'odd' } } })
    expect(error.retryable).toBe(status !== 418)
    expect(error.billed).toBe('no')
  })

  test.each([
    { status: 500, body: '' },
    { status: 500, body: '[]' },
    { status: 500, body: 'null' },
    { status: 500, body: '"text"' },
    { status: 500, body: '{"error":null}' },
    { status: 500, body: '{"error":"text"}' },
    { status: 500, body: '{"error":{"message":{"deep":1},"metadata":[]}}' },
  ])('with body $body does not trip us', async (error) => {
    expect(await failureOf(error)).toMatchObject({ kind: 'UNAVAILABLE', retryable: true })
  })
})

describe('how long to wait', () => {
  test('comes from Retry-After in seconds', async () => {
    expect((await failure('429_retry_after')).retryAfterMs).toBe(2000)
    expect((await failure('402_in_flight')).retryAfterMs).toBe(1000)
  })

  test('comes from the reset in epoch milliseconds inside the body', async () => {
    const wait = (await failure('429_reset_ms')).retryAfterMs
    expect(wait).toBeGreaterThan(1000)
    expect(wait).toBeLessThanOrEqual(3000)
  })

  test('comes from the availability hint', async () => {
    const availability = { code: 'capacity_exhausted', retryable: true, retry_after: 7 }
    const error = await failureOf({
      status: 503,
      body: { error: { message: 'full', http_status: 503, availability } },
    })
    expect(error).toMatchObject({ retryable: true, retryAfterMs: 7000 })
  })

  test('is left open when nobody says', async () => {
    expect((await failure('429')).retryAfterMs).toBeUndefined()
  })
})

describe('no answer at all', () => {
  test('from a closed port was surely not billed', async () => {
    const { baseURL } = fake
    await fake.close()
    expect(await failureAt(baseURL)).toMatchObject({
      kind: 'UNAVAILABLE',
      code: 'provider_unreachable',
      retryable: true,
      billed: 'no',
    })
    fake = await startFakeOpenRouter()
  })

  test('from a name that does not exist was surely not billed', async () => {
    expect(await failureAt('http://nosuch.invalid/api/v1')).toMatchObject({
      code: 'provider_unreachable',
      billed: 'no',
    })
  })

  test('because the connection is reset before the head may be billed', async () => {
    const server = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    expect(await failureAt(`http://127.0.0.1:${port}/api/v1`)).toMatchObject({
      kind: 'UNAVAILABLE',
      code: 'provider_connection_lost',
      retryable: true,
      billed: 'unknown',
    })
    await new Promise((resolve) => server.close(resolve))
  })
})

test('the key never stands in a message, nor in a cause', async () => {
  const error = await failureOf({
    status: 401,
    body: { error: { code: 401, message: `Incorrect API key provided: ${KEY}.` } },
  })
  expect(error.message).toContain('[secret]')
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error)) + String(error.cause)).not.toContain(KEY)
})
