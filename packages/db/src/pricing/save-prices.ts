import { exactOf, type ModelPrice, type PerToken, type PriceSource, textOf } from '@devflow/contracts'
import type { Queryable } from '../read/queryable.ts'

export interface SavedPrices {
  source: PriceSource
  /** As of when. Older prices never replace newer ones of the same source. */
  fetchedAt: Date
  prices: readonly { provider: string; model: string; price: ModelPrice; contextWindow?: number }[]
  /**
   * Also forgets what this source said of other models. A list that lost a model keeps its last price: nobody is
   * better off without one.
   */
  forgetOthers?: boolean
}

/** Writes prices of one source, in one statement, each model at most once. */
export async function savePrices(
  db: Queryable,
  { source, fetchedAt, prices, forgetOthers = false }: SavedPrices,
): Promise<void> {
  const column = (pick: (price: ModelPrice) => PerToken | undefined) =>
    prices.map(({ price }) => decimalText(pick(price)))
  await db.query({
    text: `with said as (
             select * from unnest($3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[], $9::numeric[], $10::numeric[], $11::jsonb[], $13::int[])
               as s(provider, model, input, output, cache_read, cache_write, reasoning, request, tiers, context_window)
           ), forgotten as (
             delete from devflow.model_pricing p where $12 and p.source = $1
               and not exists (select 1 from said s where s.provider = p.provider and s.model = p.model)
           )
           insert into devflow.model_pricing as p (provider, model, source, input_micro_usd, output_micro_usd, cache_read_micro_usd, cache_write_micro_usd, reasoning_micro_usd, request_micro_usd, tiers, context_window, fetched_at)
           select s.provider, s.model, $1, s.input, s.output, s.cache_read, s.cache_write, s.reasoning, s.request, s.tiers, s.context_window, $2 from said s
           on conflict (provider, model, source) do update set input_micro_usd = excluded.input_micro_usd, output_micro_usd = excluded.output_micro_usd,
             cache_read_micro_usd = excluded.cache_read_micro_usd, cache_write_micro_usd = excluded.cache_write_micro_usd, reasoning_micro_usd = excluded.reasoning_micro_usd,
             request_micro_usd = excluded.request_micro_usd, tiers = excluded.tiers, context_window = excluded.context_window, fetched_at = excluded.fetched_at
           where p.fetched_at <= excluded.fetched_at`,
    values: [
      source,
      fetchedAt,
      prices.map(({ provider }) => provider),
      prices.map(({ model }) => model),
      column(({ input }) => input),
      column(({ output }) => output),
      column(({ cacheRead }) => cacheRead),
      column(({ cacheWrite }) => cacheWrite),
      column(({ reasoning }) => reasoning),
      column(({ request }) => request),
      prices.map(({ price }) => (price.tiers ? JSON.stringify(price.tiers) : null)),
      forgetOthers,
      prices.map(({ contextWindow }) => contextWindow ?? null),
    ],
  })
}

function decimalText(price: PerToken | undefined): string | null {
  if (price === undefined) return null
  const exact = exactOf(price)
  if (!exact) throw new RangeError(`${price} is no price`)
  return textOf(exact)
}
