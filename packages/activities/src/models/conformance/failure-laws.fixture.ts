import type { ErrorKind } from '@devflow/contracts'
import { describe, expect, test } from 'vitest'
import { NotSent } from '../wire.ts'
import { collect, doneOf, failureOf, Harness, KEY } from './harness.fixture.ts'
import type { Flaw, Subject } from './subject.fixture.ts'

const REFUSALS: [status: number, kind: ErrorKind, code: string, retryable: boolean][] = [
  [400, 'INVALID', 'provider_rejected_request', false],
  [401, 'PERMISSION_DENIED', 'provider_unauthorized', false],
  [402, 'PERMISSION_DENIED', 'provider_credits_exhausted', false],
  [403, 'PERMISSION_DENIED', 'provider_forbidden', false],
  [404, 'NOT_FOUND', 'provider_model_not_found', false],
  [413, 'INVALID', 'provider_payload_too_large', false],
  [429, 'RATE_LIMITED', 'provider_rate_limited', true],
  [500, 'UNAVAILABLE', 'provider_failed', true],
  [502, 'UNAVAILABLE', 'provider_unavailable', true],
  [503, 'UNAVAILABLE', 'provider_unavailable', true],
  [529, 'UNAVAILABLE', 'provider_overloaded', true],
]

/** How a call fails: with a kind, a code, whether it passes, whether it may be billed; once, and without a secret. */
export function failureLaws(subject: Subject): void {
  describe(`${subject.name}: a call that fails`, () => {
    const harness = new Harness(subject)

    const refusals = REFUSALS.filter(([status]) => status !== 402 || harness.has('payment'))
    test.each(refusals)('with status %s is a %s %s, not billed, and not sent again', async (...row) => {
      const [status, kind, code, retryable] = row
      const failure = await harness.failure({ status, message: 'as the provider says it' })
      expect(failure).toMatchObject({ kind, code, retryable, billed: 'no' })
      expect(failure.message).toContain('as the provider says it')
      expect(harness.standIn.requests).toHaveLength(1)
    })

    test('is not sent where its time is over before it is on its way', async () => {
      const late = harness.stream(
        { reply: { text: 'Hi.' } },
        { request: { notAfter: performance.now() - 1 } },
      )
      await expect(collect(late)).rejects.toThrow(NotSent)
      expect(harness.standIn.requests).toEqual([])
      const early = { notAfter: performance.now() + 60_000 }
      expect(doneOf(await harness.ask({ reply: { text: 'Hi.' } }, early)).content).toBe('Hi.')
      expect(harness.standIn.requests).toHaveLength(1)
    })

    test('with 429 says how long to wait, where the provider does', async () => {
      expect((await harness.failure({ status: 429, retryAfter: 2 })).retryAfterMs).toBe(2000)
      expect((await harness.failure({ status: 429 })).retryAfterMs).toBeUndefined()
    })

    test.each([
      ['a gateway’s page', '<html><head><title>502</title></head><body><h1>Bad gateway</h1></body></html>'],
      ['nothing', ''],
      ['a list', '[]'],
      ['no error in it', '{"error":null}'],
    ])('with %s for a body has a kind all the same', async (_, body) => {
      const failure = await harness.failure({ status: 502, body })
      expect(failure).toMatchObject({ kind: 'UNAVAILABLE', code: 'provider_unavailable', retryable: true })
      expect(failure.message).not.toContain('<')
    })

    test.each<[Flaw, string[]]>([
      ['error_first', ['provider_failed', 'provider_unavailable', 'provider_overloaded']],
      ['error_after_text', ['provider_failed', 'provider_unavailable', 'provider_overloaded']],
      ['ends_in_text', ['provider_stream_incomplete']],
      ['breaks_in_call', ['provider_connection_lost']],
    ])('within its answer (%s) is no success, passes, and may be billed', async (flaw, codes) => {
      const toolCalls = [{ id: 'call_a1', name: 'read_file', arguments: { path: 'README.md' } }]
      const reply =
        flaw === 'breaks_in_call' ? { toolCalls } : { text: 'Hello there, all is well.', chunks: 6 }
      const failure = await harness.failure({ reply, flaw })
      expect(failure).toMatchObject({ kind: 'UNAVAILABLE', retryable: true, billed: 'unknown' })
      expect(codes).toContain(failure.code)
      expect(harness.standIn.requests).toHaveLength(1)
    })

    test('by saying nothing more is ended, and its connection closed', async () => {
      const stream = harness.stream({ reply: { text: 'Hello.' }, flaw: 'stalls' }, { stallMs: 150 })
      expect(await failureOf(collect(stream))).toMatchObject({
        kind: 'TIMEOUT',
        code: 'provider_stalled',
        retryable: true,
        billed: 'unknown',
      })
      await harness.standIn.waitFor(([first]) => first?.abortedAt !== undefined, 2000)
    })

    test('because nobody listens there was surely not billed', async () => {
      const stream = harness.stream({ reply: { text: 'Hello.' } })
      await harness.leave()
      expect(await failureOf(collect(stream))).toMatchObject({
        kind: 'UNAVAILABLE',
        code: 'provider_unreachable',
        retryable: true,
        billed: 'no',
      })
    })

    if (harness.has('key')) {
      test('for want of a key names its variable and `devflow login`, and asks nobody', async () => {
        const adapter = harness.standIn.adapter({ apiKey: undefined })
        const failure = await failureOf(
          collect(adapter.stream(harness.request(), new AbortController().signal)),
        )
        expect(failure).toMatchObject({
          kind: 'PERMISSION_DENIED',
          code: 'provider_key_missing',
          retryable: false,
          billed: 'no',
        })
        expect(failure.message).toContain(subject.keyVariable)
        expect(failure.message).toContain('devflow login')
        expect(harness.standIn.requests).toHaveLength(0)
      })

      test('never tells the key, be it repeated to us', async () => {
        const failure = await harness.failure({ status: 401, message: `Incorrect API key: ${KEY}.` })
        const told = JSON.stringify(failure, Object.getOwnPropertyNames(failure)) + String(failure.cause)
        expect(told).toContain('[secret]')
        expect(told).not.toContain(KEY)
      })
    }
  })
}
