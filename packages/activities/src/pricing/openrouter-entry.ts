import {
  ContextWindow,
  compare,
  type Exact,
  exactOf,
  type ModelPrice,
  type PriceTier,
  textOf,
  times,
} from '@devflow/contracts'
import { z } from 'zod'

/** Why an entry of a price list is of no use. */
export type Flaw =
  | 'unreadable'
  | 'too_long'
  | 'bad_name'
  | 'no_price'
  | 'price_depends'
  | 'not_a_price'
  | 'too_dear'

export interface Listed {
  model: string
  price: ModelPrice
  /** In tokens; absent: the list says nothing of use. */
  contextWindow?: number
}

export type ReadEntry = Listed | { flaw: Flaw }

const MICRO: Exact = { digits: 1_000_000n, scale: 0 }
/** Above a dollar a token, or a thousand a call, a price is a mistake. */
const MOST_PER_TOKEN: Exact = { digits: 1_000_000n, scale: 0 }
const MOST_PER_CALL: Exact = { digits: 1_000_000_000n, scale: 0 }
const MOST_TIERS = 16

const Name = z
  .string()
  .min(1)
  .max(200)
  .refine((name) => name.isWellFormed() && !/\p{Cc}/u.test(name))

const price = z.union([z.string(), z.number()]).nullish()
const Prices = z.object({
  prompt: price,
  completion: price,
  request: price,
  internal_reasoning: price,
  input_cache_read: price,
  input_cache_write: price,
})
/** What is said of a window is taken where it can be used, and costs no price otherwise. */
const Window = ContextWindow.optional().catch(undefined)
const Entry = z.object({
  id: z.unknown(),
  context_length: Window,
  top_provider: z.object({ context_length: Window }).optional().catch(undefined),
  pricing: Prices.extend({
    overrides: z
      .array(Prices.extend({ min_prompt_tokens: z.int().nonnegative().nullish() }))
      .max(MOST_TIERS)
      .nullish(),
  }).nullish(),
})

/** Reads an entry of OpenRouter's `/models`: USD a token as text, turned into micro-dollars digit by digit. */
export function readEntry(element: string): ReadEntry {
  let value: unknown
  try {
    value = JSON.parse(element)
  } catch {
    return { flaw: 'unreadable' }
  }
  const entry = Entry.safeParse(value)
  if (!entry.success) return { flaw: 'unreadable' }
  const name = Name.safeParse(entry.data.id)
  if (!name.success) return { flaw: 'bad_name' }
  const { pricing } = entry.data
  if (!pricing) return { flaw: 'no_price' }
  try {
    const base = pricesOf(pricing)
    const tiers = tiersOf(base, pricing)
    return {
      model: name.data,
      price: tiers.length === 0 ? base : { ...base, tiers },
      ...windowOf(entry.data),
    }
  } catch (failure) {
    if (failure instanceof FlawFound) return { flaw: failure.flaw }
    throw failure
  }
}

/** The model's own, or that of the provider it goes to first where that takes less. */
function windowOf(entry: z.infer<typeof Entry>): { contextWindow?: number } {
  const said = [entry.context_length, entry.top_provider?.context_length].filter((one) => one !== undefined)
  return said.length === 0 ? {} : { contextWindow: Math.min(...said) }
}

class FlawFound extends Error {
  readonly flaw: Flaw
  constructor(flaw: Flaw) {
    super(flaw)
    this.flaw = flaw
  }
}

type Given = z.infer<typeof Prices>

function pricesOf(given: Given): ModelPrice {
  const input = microUsd(given.prompt, MOST_PER_TOKEN)
  const output = microUsd(given.completion, MOST_PER_TOKEN)
  if (input === undefined || output === undefined) throw new FlawFound('no_price')
  // OpenRouter writes "0" where there is no price of its own: such tokens cost what their kind costs.
  const special = (text: Given['request']) => {
    const price = microUsd(text, MOST_PER_TOKEN)
    return price === '0' ? undefined : price
  }
  const request = microUsd(given.request, MOST_PER_CALL)
  return stated({
    input,
    output,
    cacheRead: special(given.input_cache_read),
    cacheWrite: special(given.input_cache_write),
    reasoning: special(given.internal_reasoning),
    request: request === '0' ? undefined : request,
  })
}

/** Prices from so many input tokens on. Those by the time of day are taken to hold always where they are dearer. */
function tiersOf(
  base: ModelPrice,
  { overrides, ...given }: Given & { overrides?: Override[] | null },
): PriceTier[] {
  return (overrides ?? [])
    .map(({ min_prompt_tokens: from, ...own }) => ({
      fromInputTokens: from ?? 0,
      ...pricesOf({ ...given, ...definedOf(own) }),
    }))
    .filter((tier) => tier.fromInputTokens > 0 || isDearer(tier, base))
    .sort((a, b) => a.fromInputTokens - b.fromInputTokens)
}
type Override = Given & { min_prompt_tokens?: number | null }

const isDearer = (tier: ModelPrice, base: ModelPrice): boolean =>
  (['input', 'output'] as const).some((kind) => {
    const [a, b] = [exactOf(tier[kind]), exactOf(base[kind])]
    return a !== undefined && b !== undefined && compare(a, b) > 0
  })

/** Micro-dollars of USD; undefined when nothing is said. */
function microUsd(usd: string | number | null | undefined, most: Exact): string | undefined {
  if (usd === undefined || usd === null || usd === '') return undefined
  const text = String(usd)
  // "-1" says that the price depends on what a router picks.
  if (/^-1(?:\.0*)?$/.test(text)) throw new FlawFound('price_depends')
  const exact = exactOf(text)
  if (!exact) throw new FlawFound('not_a_price')
  const micro = times(exact, MICRO)
  if (compare(micro, most) > 0) throw new FlawFound('too_dear')
  return textOf(micro)
}

const definedOf = <T extends object>(fields: T): Partial<T> =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== undefined),
  ) as Partial<T>

const stated = (price: ModelPrice): ModelPrice => definedOf(price) as ModelPrice
