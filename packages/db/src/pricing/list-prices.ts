import { z } from 'zod'
import { CursorText, keyOfCursor, type Page, pageOf } from '../read/cursor.ts'
import type { Queryable } from '../read/queryable.ts'
import {
  contextWindowOf,
  PRICE_COLUMNS,
  type PricedModel,
  type PriceRow,
  pricedModelOf,
  rankOf,
} from './priced-model.ts'

export interface PriceFilter {
  provider?: string
  /** Part of the model's name, in any case. */
  model?: string
}

/** Prices in force, by provider and model. Throws DevflowError INVALID `bad_cursor`. */
export async function listPrices(
  db: Queryable,
  { provider, model }: PriceFilter,
  { cursor, limit }: { cursor?: string; limit: number },
): Promise<Page<PricedModel>> {
  const key = cursor === undefined ? ['', ''] : keyOfCursor(cursor, z.tuple([CursorText, CursorText]))
  const { rows } = await db.query<PriceRow>({
    name: 'list-prices',
    text: `select distinct on (p.provider, p.model) ${PRICE_COLUMNS}, ${contextWindowOf('p.model')} from devflow.model_pricing p
           where (p.provider, p.model) > ($1, $2) and ($3::text is null or p.provider = $3) and ($4::text is null or strpos(lower(p.model), lower($4)) > 0)
           order by p.provider, p.model, ${rankOf('p')} limit $5`,
    values: [...key, provider ?? null, model ?? null, limit + 1],
  })
  return pageOf(rows, limit, pricedModelOf, (row) => [row.provider, row.model])
}
