import { expect } from 'vitest'
import { fails, HELLO, type QuirkRow, whole } from './quirk.fixture.ts'

const again = { retryable: true }
const never = { retryable: false, billed: 'no' }
const maybeBilled = { retryable: true, billed: 'unknown' }

/** Oddities of failures and ends, of money and of what is asked beside the calls. */
export const FAILURES: QuirkRow[] = [
  [34, 'err_first_event', async (q) => fails(await q.play('err_first_event'), 'provider_unavailable', again)],
  [
    35,
    'err_after_text',
    async (q) => {
      const outcome = await q.play('err_after_text')
      fails(outcome, 'provider_unavailable', maybeBilled)
      expect(HELLO.startsWith(outcome.text)).toBe(true)
      expect(outcome.text).not.toBe('')
    },
  ],
  [
    36,
    'err_no_code',
    async (q) => {
      fails(await q.play('err_no_code'), 'provider_failed', again)
      fails(await q.play('err_string_code'), 'provider_failed', again)
    },
  ],
  [
    37,
    'err_midstream_400',
    async (q) => fails(await q.play('err_midstream_400'), 'context_length_exceeded', { retryable: false }),
  ],
  [
    38,
    'err_after_length',
    async (q) =>
      expect(await q.play('err_after_length')).toMatchObject({
        done: { finish: 'length' },
        usage: { inputTokens: 10, outputTokens: 3, costMicroUsd: 4 },
      }),
  ],
  [
    39,
    'eof_no_done_partial',
    async (q) => fails(await q.play('eof_no_done_partial'), 'provider_stream_incomplete', maybeBilled),
  ],
  [40, 'eof_no_done_complete', async (q) => whole(q, await q.play('eof_no_done_complete'))],
  [41, 'rst_mid_tool', async (q) => fails(await q.play('rst_mid_tool'), 'provider_connection_lost', again)],
  [
    42,
    'stall_comments',
    async (q) => {
      fails(await q.play('stall_comments'), 'provider_stalled', maybeBilled)
      await q.fake.waitFor(([first]) => first?.abortedAt !== undefined)
    },
  ],
  [
    43,
    'linger_after_done',
    async (q) => {
      const started = performance.now()
      await whole(q, await q.play('linger_after_done'))
      expect(performance.now() - started).toBeLessThan(900)
    },
  ],
  [
    44,
    'nonstream_ws',
    async (q) =>
      expect(await q.play('nonstream_ws')).toMatchObject({ text: 'Whole.', usage: { costMicroUsd: 4 } }),
  ],
  [
    45,
    'nonstream_ws_only',
    async (q) => fails(await q.play('nonstream_ws_only'), 'provider_invalid_response', maybeBilled),
  ],
  [
    46,
    'ok200_error_body',
    async (q) => {
      fails(await q.play('ok200_error_body'), 'provider_unavailable', maybeBilled)
      fails(await q.play('ok200_choices_null'), 'provider_rate_limited', maybeBilled)
      fails(await q.play('ok200_choices_empty'), 'provider_unavailable', maybeBilled)
    },
  ],
  [47, 'choice_error', async (q) => fails(await q.play('choice_error'), 'provider_rate_limited', again)],
  [
    48,
    'empty_stop',
    async (q) => {
      const outcome = await q.play('empty_stop')
      expect(outcome.done).toMatchObject({ content: '', finish: 'stop', toolCalls: [] })
      expect(outcome.usage?.costMicroUsd).toBe(await q.billed())
    },
  ],
  [
    49,
    '429_retry_after / 429_reset_ms',
    async (q) => {
      fails(await q.play({ scenario: '429_retry_after' }), 'provider_rate_limited', { retryAfterMs: 2000 })
      const { error } = await q.play({ scenario: '429_reset_ms' })
      expect(error?.retryAfterMs).toBeGreaterThan(1000)
      expect(error?.retryAfterMs).toBeLessThanOrEqual(3000)
      fails(await q.play({ scenario: '429_daily' }), 'provider_daily_limit', never)
    },
  ],
  [
    50,
    '402_variants',
    async (q) => {
      fails(await q.play({ scenario: '402' }), 'provider_credits_low', { ...never, affordableTokens: 511 })
      const inFlight = { retryable: true, retryAfterMs: 1000, kind: 'RATE_LIMITED' }
      fails(await q.play({ scenario: '402_in_flight' }), 'provider_in_flight_budget', inFlight)
      fails(await q.play({ scenario: '402_weight' }), 'provider_credits_exhausted', never)
      fails(await q.play({ scenario: '402_key_limit' }), 'provider_key_limit', never)
    },
  ],
  [
    51,
    '403_moderation, 401, 404_tools',
    async (q) => {
      fails(await q.play({ scenario: '403_moderation' }), 'provider_moderation', never)
      fails(await q.play({ scenario: '401' }), 'provider_unauthorized', never)
      fails(await q.play({ scenario: '404_tools' }), 'provider_model_not_found', never)
    },
  ],
  [
    52,
    '503_availability',
    async (q) => {
      fails(await q.play({ scenario: '503_availability' }), 'provider_unavailable', never)
      const availability = { code: 'capacity_exhausted', retryable: true, retry_after: 7 }
      const body = { error: { message: 'full', http_status: 503, availability } }
      fails(await q.refuse({ status: 503, body }), 'provider_unavailable', { ...again, retryAfterMs: 7000 })
    },
  ],
  [
    53,
    'html_502 / 524',
    async (q) => {
      const page = await q.play({ scenario: 'html_502' })
      fails(page, 'provider_unavailable', again)
      expect(page.error?.message).toContain('502: Bad gateway')
      fails(await q.play({ scenario: '524' }), 'provider_timeout', maybeBilled)
    },
  ],
  [
    54,
    'model_fallback',
    async (q) => {
      const outcome = await q.play({ modelUsed: 'qwen/qwen3-coder-480b', cost: '0.001' })
      expect(outcome).toMatchObject({ done: { modelUsed: 'qwen/qwen3-coder-480b' } })
      expect(outcome.usage?.costMicroUsd).toBe(1000)
    },
  ],
  [
    55,
    'cost_forms',
    async (q) => {
      const cost = async (text: string) => (await q.play({ cost: text })).usage?.costMicroUsd
      expect(await cost('0')).toBe(0)
      expect(await cost('null')).toBeUndefined()
      expect(await cost('4.51e-06')).toBe(4.51)
      expect(await cost('0.00001305')).toBe(13.05)
      const byok = { prompt_tokens: 1, completion_tokens: 1, cost: 0.000001, is_byok: true }
      const usage = { ...byok, cost_details: { upstream_inference_cost: 0.00002 } }
      expect((await q.play({ usageFields: usage })).usage?.costMicroUsd).toBe(21)
    },
  ],
  [
    56,
    'cached_usage',
    async (q) => {
      const usage = { promptTokens: 275, completionTokens: 5, cachedTokens: 192 }
      const outcome = await q.play({ usage })
      expect(outcome.usage).toMatchObject({ inputTokens: 275, cachedTokens: 192 })
      expect(outcome.usage?.costMicroUsd).toBe(await q.billed())
    },
  ],
  [
    57,
    'cancel_supported / unsupported',
    async (q) => {
      const long = { content: 'x'.repeat(400), chunks: 400, chunkDelayMs: 5 }
      const bills = []
      for (const cancellable of [true, false]) {
        q.fake.script(() => ({ ...long, cancellable }))
        const left = new AbortController()
        const n = bills.length
        await expect(
          q.call({}, left.signal, (event) => {
            if (event.kind === 'token') left.abort(new Error('left'))
          }),
        ).rejects.toThrow('left')
        const billed = await q.billed(n)
        expect(q.fake.requests[n]?.abortedAt).toBeDefined()
        const id = q.fake.requests[n]?.id ?? ''
        const usage = await q.adapter.lookup?.(id, new AbortController().signal)
        expect(usage?.costMicroUsd).toBe(billed)
        bills.push(billed ?? 0)
      }
      const [part = 0, all = 0] = bills
      expect(part).toBeGreaterThan(0)
      expect(part).toBeLessThan(all)
    },
  ],
  [
    58,
    'key_drained',
    async (q) => {
      q.fake.keyRemaining(0)
      // The first call goes out while the first look is made.
      expect((await q.play('happy_text')).text).toBe(HELLO)
      await expect.poll(() => q.fake.keyLooks).toBe(1)
      const stopped = await q.play('happy_text')
      fails(stopped, 'provider_key_limit', never)
      expect(stopped.error?.message).toContain('reset monthly')
      expect(q.fake.requests).toHaveLength(1)
      q.fake.keyRemaining(5)
      expect((await q.play('happy_text')).text).toBe(HELLO)
      expect(q.fake.requests).toHaveLength(2)
    },
  ],
  [59, 'debug_first_chunk', async (q) => whole(q, await q.play('debug_first_chunk'))],
  [
    60,
    'replay_guard',
    async (q) => {
      fails(await q.play('eof_no_done_partial'), 'provider_stream_incomplete', maybeBilled)
      await q.play('happy_text')
      const bills = [await q.billed(0), await q.billed(1)]
      expect(Math.min(...bills.map(Number))).toBeGreaterThan(0)
      expect(q.fake.billedMicroUsd()).toBeCloseTo(
        bills.map(Number).reduce((a, b) => a + b),
        6,
      )
    },
  ],
]
