import type { ModelPrice } from '@devflow/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lowered, reservationFor } from './reservation.ts'

const price = (input: string, output: string): ModelPrice => ({ input, output }) as ModelPrice
const model = { provider: 'openrouter' as const, name: 'a/b', maxOutputTokens: 1_000 }
const messages = [{ role: 'user' as const, content: 'x'.repeat(300) }]

test('a call reserves by the dearest of the models that may answer', () => {
  const cheap = price('0.1', '0.2')
  const dear = price('0.05', '3.5')
  const { microUsd, inputTokens } = reservationFor([cheap, dear], model, messages, [])
  expect(microUsd).toBeCloseTo(0.05 * inputTokens + 3.5 * 1_000, 6)
  expect(reservationFor([dear, cheap], model, messages, []).microUsd).toBe(microUsd)
})

test('one model of unknown price makes the reservation unknown', () => {
  expect(reservationFor([price('1', '1'), undefined], model, messages, []).microUsd).toBeUndefined()
})

test('what is lowered to a budget fits into it, and no more output would', () => {
  const amount = fc.integer({ min: 0, max: 4_000 })
  fc.assert(
    fc.property(amount, amount, fc.constantFrom('0', '0.4', '1', '2.5'), (money, tokens, output) => {
      const asked = reservationFor([price('0.3', '1'), price('0.1', output)], model, messages, [])
      const left = { exceeded: [], leftMicroUsd: money, leftTokens: tokens }
      const less = lowered(asked, left)
      if (!less) return
      const fits = ({ tokens: all, microUsd = 0 }: typeof asked) => all <= tokens && microUsd <= money
      expect(fits(less)).toBe(true)
      expect(less.maxOutputTokens).toBeGreaterThanOrEqual(256)
      const more = reservationFor(
        [price('0.3', '1'), price('0.1', output)],
        { ...model, maxOutputTokens: less.maxOutputTokens + 1 },
        messages,
        [],
      )
      if (less.maxOutputTokens + 1 < asked.maxOutputTokens) expect(fits(more)).toBe(false)
    }),
  )
})
