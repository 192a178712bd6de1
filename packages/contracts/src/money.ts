import { z } from 'zod'

/**
 * Micro-dollars as a JSON number with up to six decimals. A double carries such a value exactly as written up to
 * 9,000 dollars; sums are made in NUMERIC or with a decimal library, never by adding these numbers.
 */
export const MicroUsd = z
  .number()
  .nonnegative()
  .max(1e15)
  .refine((value) => Number.isFinite(value) && Number(value.toFixed(6)) === value, {
    error: 'expected micro-dollars with at most six decimals',
  })
export type MicroUsd = z.infer<typeof MicroUsd>

/** Micro-dollars a token, exact: decimal text, or a number as it was written by hand. */
export type PerToken = string | number

interface TokenPrices {
  input: PerToken
  output: PerToken
  /** Input read from the provider's cache; absent: as `input`. */
  cacheRead?: PerToken
  /** Input written to the provider's cache; absent: as `input`. */
  cacheWrite?: PerToken
  /** Output that is reasoning; absent: as `output`. */
  reasoning?: PerToken
  /** Micro-dollars a call, beside its tokens. */
  request?: PerToken
}

/** What a model costs, in micro-dollars per token: the same figures as dollars per million tokens. */
export interface ModelPrice extends TokenPrices {
  /** Prices that hold from so many input tokens on. */
  tiers?: PriceTier[]
}

export interface PriceTier extends TokenPrices {
  fromInputTokens: number
}
