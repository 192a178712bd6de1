import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Exact, exactOf, plus, rounded, textOf, times } from './exact.ts'
import { type ModelPrice, ModelPricing } from './money.ts'
import { costOf, mostItCosts } from './pricing.ts'

/** A fraction of whole numbers: the oracle. */
interface Fraction {
  over: bigint
  under: bigint
}

const fractionOf = ({ digits, scale }: Exact): Fraction => ({ over: digits, under: 10n ** BigInt(scale) })
const equal = (a: Fraction, b: Fraction) => a.over * b.under === b.over * a.under
const add = (a: Fraction, b: Fraction): Fraction => ({
  over: a.over * b.under + b.over * a.under,
  under: a.under * b.under,
})

/** The text of a JSON number, and the fraction it stands for, by another way than the code's. */
const numberText = fc
  .record({
    whole: fc.bigInt({ min: 0n, max: 10n ** 15n }),
    decimals: fc.stringMatching(/^\d{0,20}$/),
    exponent: fc.option(fc.integer({ min: -30, max: 30 }), { nil: undefined }),
    sign: fc.constantFrom('', '+'),
    e: fc.constantFrom('e', 'E'),
  })
  .map(({ whole, decimals, exponent = undefined, sign, e }) => {
    const power = exponent ?? 0
    const written = exponent === undefined ? '' : `${e}${power < 0 ? '' : sign}${power}`
    const [up, down] = power > 0 ? [power, 0] : [0, -power]
    const over = BigInt(`${whole}${decimals}`) * BigInt(`1${'0'.repeat(up)}`)
    const under = BigInt(`1${'0'.repeat(decimals.length + down)}`)
    return { text: `${whole}${decimals === '' ? '' : `.${decimals}`}${written}`, fraction: { over, under } }
  })

const exact = (text: string | number): Exact => {
  const value = exactOf(text)
  if (!value) throw new Error(`${text} is no number`)
  return value
}

describe('exact decimals', () => {
  test('are read from the text of numbers without losing a digit, and written back', () => {
    fc.assert(
      fc.property(numberText, ({ text, fraction }) => {
        expect(equal(fractionOf(exact(text)), fraction)).toBe(true)
        expect(equal(fractionOf(exact(textOf(exact(text)))), fraction)).toBe(true)
      }),
    )
  })

  test('of a double are what JSON writes of it', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-20, max: 1e20, noNaN: true }), (value) => {
        expect(Number(textOf(exact(value)))).toBe(value)
      }),
    )
  })

  test('sum and multiply as fractions do', () => {
    fc.assert(
      fc.property(numberText, numberText, (a, b) => {
        expect(equal(fractionOf(plus(exact(a.text), exact(b.text))), add(a.fraction, b.fraction))).toBe(true)
        const product = {
          over: a.fraction.over * b.fraction.over,
          under: a.fraction.under * b.fraction.under,
        }
        expect(equal(fractionOf(times(exact(a.text), exact(b.text))), product)).toBe(true)
      }),
    )
  })

  test('are rounded up to the next millionth, or to the nearest', () => {
    fc.assert(
      fc.property(numberText, ({ text, fraction: { over, under } }) => {
        const millionths = (value: Exact) => {
          const { over: o, under: u } = fractionOf(value)
          expect((o * 1_000_000n) % u).toBe(0n)
          return (o * 1_000_000n) / u
        }
        expect(millionths(rounded(exact(text), 6, 'up'))).toBe((over * 1_000_000n + under - 1n) / under)
        expect(millionths(rounded(exact(text), 6, 'half-up'))).toBe(
          (over * 2_000_000n + under) / (2n * under),
        )
      }),
    )
  })

  test.each([
    '-1',
    '-0.5',
    '',
    ' 1',
    '1 ',
    '0x10',
    'Infinity',
    'NaN',
    '1e',
    '.5',
    '1.',
    '1e100',
    '1e-999999999',
    '1e-61',
    '١',
    `${'9'.repeat(61)}`,
  ])('%j is none', (text) => {
    expect(exactOf(text)).toBeUndefined()
  })
})

const rate = fc
  .tuple(fc.nat(1_000_000), fc.nat(12))
  .map(([digits, scale]) => textOf({ digits: BigInt(digits), scale }))
const rates = { input: rate, output: rate }
const priceOf = fc.record(
  { ...rates, cacheRead: rate, cacheWrite: rate, reasoning: rate, request: rate },
  { requiredKeys: ['input', 'output'] },
) as fc.Arbitrary<ModelPrice>
const tokens = fc.nat(2_000_000)

describe('the cost of a call', () => {
  test('charges every token once, at the price of its kind, and is rounded once', () => {
    fc.assert(
      fc.property(
        priceOf,
        fc.record({ plain: tokens, read: tokens, written: tokens, said: tokens, thought: tokens }),
        (price, { plain, read, written, said, thought }) => {
          const parts: [string | number | undefined, number][] = [
            [price.input, plain],
            [price.cacheRead ?? price.input, read],
            [price.cacheWrite ?? price.input, written],
            [price.output, said],
            [price.reasoning ?? price.output, thought],
            [price.request ?? 0, 1],
          ]
          const { over, under } = parts
            .map(([rate = 0, count]) => {
              const one = fractionOf(exact(rate))
              return { over: one.over * BigInt(count), under: one.under }
            })
            .reduce(add)
          const cost = costOf(price, {
            inputTokens: plain + read + written,
            cachedTokens: read,
            cacheWriteTokens: written,
            outputTokens: said + thought,
            reasoningTokens: thought,
          })
          const millionths = (over * 2_000_000n + under) / (2n * under)
          expect(cost).toBe(Number(`${millionths}e-6`))
        },
      ),
    )
  })

  test('never passes what was reserved for it', () => {
    fc.assert(
      fc.property(
        priceOf.filter(({ input, cacheRead = input }) => Number(cacheRead) <= Number(input)),
        fc.array(fc.record({ fromInputTokens: tokens, ...rates }), { maxLength: 3 }),
        fc.record({
          inputTokens: tokens,
          outputTokens: tokens,
          cachedTokens: tokens,
          cacheWriteTokens: tokens,
          reasoningTokens: tokens,
        }),
        (base, tiers, counts) => {
          const price = { ...base, tiers }
          const most = mostItCosts(price, counts.inputTokens, counts.outputTokens) ?? -1
          expect(costOf(price, counts)).toBeLessThanOrEqual(most)
        },
      ),
    )
  })

  test('is that of the tier the input reaches', () => {
    const price = { input: 1, output: 2, tiers: [{ fromInputTokens: 100, input: 3, output: 4 }] }
    expect(costOf(price, { inputTokens: 99, outputTokens: 10 })).toBe(119)
    expect(costOf(price, { inputTokens: 100, outputTokens: 10 })).toBe(340)
    expect(mostItCosts(price, 100, 10)).toBe(340)
  })

  test.each([1.5, -1, Number.NaN, 2 ** 60])('is not made of %d tokens', (inputTokens) => {
    expect(costOf({ input: 1, output: 1 }, { inputTokens, outputTokens: 1 })).toBeUndefined()
  })
})

test.each([[-1], ['-1'], ['cheap'], [1_000_001], [Number.POSITIVE_INFINITY], [null]])(
  'a price of %j a token is refused in words',
  (input) => {
    const { error } = ModelPricing.safeParse({ input, output: 1 })
    expect(error?.issues[0]?.path).toEqual(['input'])
  },
)
