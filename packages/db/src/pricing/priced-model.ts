import type { ModelPrice, PriceSource, PriceTier } from '@devflow/contracts'
import { type Numeric, present } from '../read/queryable.ts'

/** A model's price, and what says so since when. */
export interface PricedModel {
  provider: string
  model: string
  price: ModelPrice
  source: PriceSource
  fetchedAt: Date
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
}

/** Columns of `model_pricing p` as `PriceRow`. NUMERIC comes as text, and stays text: exact. */
export const PRICE_COLUMNS = `p.provider, p.model, p.source, p.input_micro_usd as input, p.output_micro_usd as output, p.cache_read_micro_usd as cache_read,
  p.cache_write_micro_usd as cache_write, p.reasoning_micro_usd as reasoning, p.request_micro_usd as request, p.tiers, p.fetched_at`

/** Where a source stands: the lowest counts. */
export const SOURCE_RANK = `array_position(array['configuration', 'list', 'seed'], p.source)`

export function pricedModelOf(row: PriceRow): PricedModel {
  return {
    provider: row.provider,
    model: row.model,
    source: row.source,
    fetchedAt: row.fetched_at,
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
