import type { Queryable } from '../read/queryable.ts'
import {
  contextWindowOf,
  PRICE_COLUMNS,
  type PricedModel,
  type PriceRow,
  pricedModelOf,
  rankOf,
} from './priced-model.ts'

export type { PricedModel }

export interface PriceSought {
  provider: string
  /** The model's name as a persona gives it. */
  model: string
}

/** Suffixes of OpenRouter that choose among a model's providers at its list price. */
const ROUTING = /:(?:nitro|floor|exacto|extended|online)$/

/** Prices of these models, in their order; undefined where none is known. A name that ends in `:free` is free. */
export async function readPrices(
  db: Queryable,
  sought: readonly PriceSought[],
): Promise<(PricedModel | undefined)[]> {
  if (sought.length === 0) return []
  const { rows } = await db.query<PriceRow & { n: string }>({
    name: 'read-prices',
    text: `select w.n, p.* from unnest($1::text[], $2::text[], $3::text[]) with ordinality w(provider, model, base, n)
           cross join lateral (
             select ${PRICE_COLUMNS}, ${contextWindowOf('w.model, w.base')} from devflow.model_pricing p where p.provider = w.provider and p.model in (w.model, w.base)
             order by ${rankOf('p')}, p.model = w.model desc limit 1
           ) p`,
    values: [
      sought.map(({ provider }) => provider),
      sought.map(({ model }) => model),
      sought.map(({ model }) => model.replace(ROUTING, '')),
    ],
  })
  const found = new Map(rows.map((row) => [Number(row.n), pricedModelOf(row)]))
  return sought.map((one, index) => found.get(index + 1) ?? freeByName(one))
}

function freeByName({ provider, model }: PriceSought): PricedModel | undefined {
  if (!model.endsWith(':free')) return undefined
  return { provider, model, price: { input: '0', output: '0' }, source: 'list', fetchedAt: new Date(0) }
}
