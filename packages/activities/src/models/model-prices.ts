import type { Model, ModelPrice } from '@devflow/contracts'
import { readPrices, seedPrice } from '@devflow/db'
import type pg from 'pg'
import type { Log, Prices } from '../deps.ts'

/** How long a price is used without a look at the table: a new list is taken up this soon. */
const FRESH_MS = 30_000
const MOST_KEPT = 1_000

interface Known {
  price: ModelPrice | undefined
  contextWindow: number | undefined
}

interface Kept extends Known {
  until: number
}

/**
 * Prices as the table has them, kept for a while: a reservation rarely waits for a read. While the table cannot be
 * read the last price holds, else the one noted by hand.
 */
export function createPrices(pool: pg.Pool, log: Log, freshMs = FRESH_MS): Prices {
  const kept = new Map<string, Kept>()
  const asking = new Map<string, Promise<Known>>()

  async function ask(key: string, { provider, name }: Model): Promise<Known> {
    try {
      const [found] = await readPrices(pool, [{ provider, model: name }])
      const known = { price: found?.price, contextWindow: found?.contextWindow }
      keep(key, { ...known, until: performance.now() + freshMs })
      return known
    } catch (error) {
      log.warn({ err: error, model: name }, 'a price could not be read; the last known one holds')
      const { price = seedPrice(provider, name), contextWindow } = kept.get(key) ?? {}
      return { price, contextWindow }
    } finally {
      asking.delete(key)
    }
  }

  function keep(key: string, entry: Kept): void {
    kept.delete(key)
    kept.set(key, entry)
    const [oldest] = kept.keys()
    if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest)
  }

  async function lookUp(model: Model): Promise<Known> {
    const key = `${model.provider} ${model.name}`
    const last = kept.get(key)
    if (last && performance.now() < last.until) return last
    const answer = asking.get(key) ?? ask(key, model)
    asking.set(key, answer)
    return await answer
  }

  return {
    of: async (adapter, model) => model.pricing ?? adapter.price(model) ?? (await lookUp(model)).price,
    windowOf: async (model) => model.contextWindow ?? (await lookUp(model)).contextWindow,
  }
}

/** What OpenRouter's adapter knows by itself: its prices are the table's. */
export function openRouterPrice(model: Model): ModelPrice | undefined {
  return model.pricing
}
