import { z } from 'zod'
import { compare, type Exact, exactOf } from './exact.ts'

/**
 * Micro-dollars as a JSON number with up to six decimals. A double carries such a value exactly as written up to
 * 9,000 dollars; sums are made in NUMERIC or with a decimal library, never by adding these numbers.
 */
export const MicroUsd = z
  .number({
    error: ({ input }) => (Number.isNaN(input) ? 'expected micro-dollars with at most 15 digits' : undefined),
  })
  .nonnegative()
  .max(1e15)
  .refine((value) => Number.isFinite(value) && Number(value.toFixed(6)) === value, {
    error: 'expected micro-dollars with at most six decimals',
  })
export type MicroUsd = z.infer<typeof MicroUsd>

const A_DOLLAR: Exact = { digits: 1_000_000n, scale: 0 }

/** Micro-dollars a token, exact: decimal text, or a number as it was written by hand. At most a dollar. */
export const PerToken = z.union([z.number(), z.string()]).refine(
  (price) => {
    const exact = exactOf(price)
    return exact !== undefined && compare(exact, A_DOLLAR) <= 0
  },
  { error: 'expected micro-dollars a token: a decimal number from 0 to 1000000' },
)
export type PerToken = z.infer<typeof PerToken>

const TokenPrices = {
  input: PerToken,
  output: PerToken,
  /** Input read from the provider's cache; absent: as `input`. */
  cacheRead: PerToken.optional(),
  /** Input written to the provider's cache; absent: as `input`. */
  cacheWrite: PerToken.optional(),
  /** Output that is reasoning; absent: as `output`. */
  reasoning: PerToken.optional(),
  /** Micro-dollars a call, beside its tokens. */
  request: PerToken.optional(),
}

const PriceTier = z.strictObject({ fromInputTokens: z.int().nonnegative(), ...TokenPrices })
export type PriceTier = z.infer<typeof PriceTier>

/** What a model costs, in micro-dollars per token: the same figures as dollars per million tokens. */
export const ModelPricing = z.strictObject({
  ...TokenPrices,
  /** Prices that hold from so many input tokens on. */
  tiers: z.array(PriceTier).max(16).optional(),
})
export type ModelPrice = z.infer<typeof ModelPricing>

/** Tokens that a request to a model and its answer may have together. */
export const ContextWindow = z.int().min(1_000).max(100_000_000)
