import { z } from 'zod'
import { compare, type Exact, exactOf, plus, rounded, textOf, times, ZERO } from './exact.ts'
import type { ModelPrice, PerToken, PriceTier } from './money.ts'

/** Where a price comes from; the first that knows the model counts. */
export const PRICE_SOURCES = ['configuration', 'list', 'seed'] as const
export const PriceSource = z.enum(PRICE_SOURCES)
export type PriceSource = z.infer<typeof PriceSource>

/** What a call used. Cached and cache-written tokens are among the input, reasoning among the output. */
export interface TokenCounts {
  inputTokens: number
  outputTokens: number
  cachedTokens?: number
  cacheWriteTokens?: number
  reasoningTokens?: number
}

const DECIMALS = 6

/** What a call cost by its price, in micro-dollars with six decimals; undefined when a count or price makes no sense. */
export function costOf(price: ModelPrice, counts: TokenCounts): number | undefined {
  const { inputTokens, outputTokens, cachedTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0 } = counts
  const all = [inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens]
  if (!all.every((count) => Number.isSafeInteger(count) && count >= 0)) return undefined
  // Providers have said more cached or reasoning tokens than tokens: each token is charged once.
  const read = Math.min(cachedTokens, inputTokens)
  const written = Math.min(cacheWriteTokens, inputTokens - read)
  const thought = Math.min(reasoningTokens, outputTokens)
  const at = ratesAt(price, inputTokens)
  const { cacheRead = at.input, cacheWrite = at.input, reasoning = at.output, request = 0 } = at
  return microUsdOf(
    [
      [at.input, inputTokens - read - written],
      [cacheRead, read],
      [cacheWrite, written],
      [at.output, outputTokens - thought],
      [reasoning, thought],
      [request, 1],
    ],
    'half-up',
  )
}

/** What a call with so many tokens costs at most, in micro-dollars; undefined when its price makes no sense. */
export function mostItCosts(
  price: ModelPrice,
  inputTokens: number,
  outputTokens: number,
): number | undefined {
  let most: number | undefined
  for (const rates of ratesUpTo(price, inputTokens)) {
    const { input, output, cacheWrite = input, reasoning = output, request = 0 } = rates
    const dearest = (a: PerToken, b: PerToken) =>
      a !== b && compare(exactOf(a) ?? ZERO, exactOf(b) ?? ZERO) < 0 ? b : a
    const cost = microUsdOf(
      [
        [dearest(input, cacheWrite), inputTokens],
        [dearest(output, reasoning), outputTokens],
        [request, 1],
      ],
      'up',
    )
    if (cost === undefined) return undefined
    most = Math.max(most ?? 0, cost)
  }
  return most
}

/** The price that holds for so many input tokens: the last tier they reach, else the price itself. */
function ratesAt(price: ModelPrice, inputTokens: number): ModelPrice | PriceTier {
  return ratesUpTo(price, inputTokens).at(-1) ?? price
}

function ratesUpTo(price: ModelPrice, inputTokens: number): (ModelPrice | PriceTier)[] {
  return [price, ...(price.tiers ?? []).filter(({ fromInputTokens }) => fromInputTokens <= inputTokens)]
}

function microUsdOf(parts: [PerToken, number][], how: 'up' | 'half-up'): number | undefined {
  let sum: Exact = ZERO
  for (const [price, count] of parts) {
    const rate = exactOf(price)
    if (!rate) return undefined
    sum = plus(sum, times(rate, { digits: BigInt(count), scale: 0 }))
  }
  return Number(textOf(rounded(sum, DECIMALS, how)))
}

/** JSON numbers, written digit by digit; `request` is a call's, all else a token's. */
const ratesShown = {
  input: z.number(),
  output: z.number(),
  cacheRead: z.number().optional(),
  cacheWrite: z.number().optional(),
  reasoning: z.number().optional(),
  request: z.number().optional(),
}

/** The price of a model that is in force, in micro-dollars per token: dollars per million tokens. */
export const PriceView = z.object({
  provider: z.string(),
  model: z.string(),
  source: PriceSource,
  /** When it was read, or noted by hand. */
  fetchedAt: z.iso.datetime(),
  ageSeconds: z.int(),
  /** Tokens that a request and its answer may have together, where that is known. */
  contextWindow: z.int().optional(),
  price: z.object({
    ...ratesShown,
    tiers: z.array(z.object({ fromInputTokens: z.int(), ...ratesShown })).optional(),
  }),
})
export type PriceView = z.infer<typeof PriceView>

/** How the reading of a provider's price list stands. */
export const PriceListView = z.object({
  provider: z.string(),
  /** When it was last read. */
  refreshedAt: z.iso.datetime().optional(),
  ageSeconds: z.int().optional(),
  /** When someone last tried. */
  attemptedAt: z.iso.datetime().optional(),
  /** When someone last asked for it by hand. */
  requestedAt: z.iso.datetime().optional(),
  /** Models whose price was taken. */
  models: z.int().optional(),
  /** Entries that were left out, by why. */
  leftOut: z.record(z.string(), z.int()).optional(),
  /** Why the last attempt failed; prices known before hold. */
  error: z.string().optional(),
})
export type PriceListView = z.infer<typeof PriceListView>
