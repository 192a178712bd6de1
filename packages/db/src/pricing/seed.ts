import type { ModelPrice } from '@devflow/contracts'
import type { Queryable } from '../read/queryable.ts'
import { savePrices } from './save-prices.ts'
import seed from './seed.json' with { type: 'json' }

const byProvider: Record<string, Record<string, ModelPrice>> = seed.prices

/** The price noted by hand, for when nothing else can be read. */
export function seedPrice(provider: string, model: string): ModelPrice | undefined {
  const models = byProvider[provider]
  return models && Object.hasOwn(models, model) ? models[model] : undefined
}

/** Puts the prices noted by hand into the table: this build's, and no others. */
export async function plantSeed(db: Queryable): Promise<void> {
  const prices = Object.entries(byProvider).flatMap(([provider, models]) =>
    Object.entries(models).map(([model, price]) => ({ provider, model, price })),
  )
  await savePrices(db, {
    source: 'seed',
    fetchedAt: new Date(`${seed.notedAt}T00:00:00Z`),
    prices,
    forgetOthers: true,
  })
}
