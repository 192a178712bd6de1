import { type RefreshDeps, refreshPrices } from '@devflow/activities'
import { patiently, savePrices } from '@devflow/db'
import type pg from 'pg'
import type { ConfiguredPrices } from './pricing-config.ts'

/** Processes that began together must not ask together, and a provider's hour has a quiet side. */
const JITTER = 0.1

/** Makes the configured prices these, and no others. */
export async function takeConfiguredPrices(pool: pg.Pool, configured: ConfiguredPrices): Promise<void> {
  const prices = Object.entries(configured).flatMap(([provider, models]) =>
    Object.entries(models).map(([model, { contextWindow, ...price }]) => ({
      provider,
      model,
      price,
      contextWindow,
    })),
  )
  const fetchedAt = new Date()
  await patiently(() => savePrices(pool, { source: 'configuration', fetchedAt, prices, forgetOthers: true }))
}

/** Reads the price list when it is due; to be called every second or so. `everyMs` 0: when someone asks, and only then. */
export function priceKeeper(deps: RefreshDeps, everyMs: number): () => Promise<unknown> {
  const jittered = everyMs === 0 ? undefined : everyMs * (1 - JITTER * Math.random())
  return () => refreshPrices(deps, jittered)
}
