import type { ModelPrice, PriceSource, PriceTier } from '@devflow/contracts'
import { type Numeric, present } from '../read/queryable.ts'

/** A model's price and context window, and what says so of the price since when. */
export interface PricedModel {
  provider: string
  model: string
  price: ModelPrice
  source: PriceSource
  fetchedAt: Date
  /** In tokens; absent: no source says. */
  contextWindow?: number
}

export interface PriceRow {
  provider: string
  model: string
  source: PriceSource
  input: Numeric
  output: Numeric
  cache_read: Numeric | null
  cache_write: Numeric | null
  reasoning: Numeric | null
  request: Numeric | null
  tiers: PriceTier[] | null
  fetched_at: Date
  context_window: number | null
}

/** Columns of `model_pricing p` as `PriceRow`. NUMERIC comes as text, and stays text: exact. */
export const PRICE_COLUMNS = `p.provider, p.model, p.source, p.input_micro_usd as input, p.output_micro_usd as output, p.cache_read_micro_usd as cache_read,
  p.cache_write_micro_usd as cache_write, p.reasoning_micro_usd as reasoning, p.request_micro_usd as request, p.tiers, p.fetched_at`

/** Where a source of `model_pricing` stands: the lowest counts. */
export const rankOf = (row: string): string =>
  `array_position(array['configuration', 'list', 'seed'], ${row}.source)`

/** The window that the first source knows that says one of these models': who sets a price need not set it too. */
export const contextWindowOf = (models: string): string =>
  `(select o.context_window from devflow.model_pricing o where o.provider = p.provider and o.model in (${models}) and o.context_window is not null
    order by ${rankOf('o')}, o.model = p.model desc limit 1) as context_window`

export function pricedModelOf(row: PriceRow): PricedModel {
  return {
    provider: row.provider,
    model: row.model,
    source: row.source,
    fetchedAt: row.fetched_at,
    ...(row.context_window === null ? {} : { contextWindow: row.context_window }),
    price: present<ModelPrice>({
      input: row.input,
      output: row.output,
      cacheRead: row.cache_read ?? undefined,
      cacheWrite: row.cache_write ?? undefined,
      reasoning: row.reasoning ?? undefined,
      request: row.request ?? undefined,
      tiers: row.tiers ?? undefined,
    } as ModelPrice),
  }
}
