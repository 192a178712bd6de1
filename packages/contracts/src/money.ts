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

/** Micro-dollars per token. */
export interface ModelPrice {
  input: number
  output: number
}
