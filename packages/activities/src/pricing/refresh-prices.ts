import { type RefreshOutcome, type RefreshPace, savePrices, whenPriceListIsDue } from '@devflow/db'
import type pg from 'pg'
import type { Log } from '../deps.ts'
import { type LeftOut, readPriceList } from './read-price-list.ts'

/** After a failure a list is read again this soon; doubles. */
const RETRY_MS = 60_000
const DEFAULT_BASE_URL = 'https://openrouter.ai/api/v1'

export interface RefreshDeps {
  pool: pg.Pool
  log: Log
  /** Default `https://openrouter.ai/api/v1`. */
  baseURL?: string
  /** The list is public; a key only says who asks. */
  apiKey?: string
  /** How long the whole list may take. Default a minute. */
  timeoutMs?: number
}

/**
 * Reads OpenRouter's price list when it is due, by the clock or by hand, and writes what is usable. Whatever the list
 * is like, prices known before stay until better ones are read: no run waits for this, and none breaks by it.
 */
export async function refreshPrices(
  deps: RefreshDeps,
  everyMs: RefreshPace['everyMs'],
): Promise<RefreshOutcome | undefined> {
  const pace = { everyMs, retryMs: RETRY_MS }
  return await whenPriceListIsDue(deps.pool, 'openrouter', pace, () => attempt(deps))
}

async function attempt({
  pool,
  log,
  baseURL,
  apiKey,
  timeoutMs = 60_000,
}: RefreshDeps): Promise<RefreshOutcome> {
  const fetchedAt = new Date()
  try {
    const response = await fetch(`${baseURL ?? DEFAULT_BASE_URL}/models`, {
      headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (!response.ok || !response.body) {
      await response.body?.cancel()
      return failed(log, `the provider answered ${response.status}`)
    }
    const { prices, leftOut } = await readPriceList(response.body)
    if (prices.length === 0) return failed(log, 'the list has no price that can be used', leftOut)
    await savePrices(pool, {
      source: 'list',
      fetchedAt,
      prices: prices.map((price) => ({ provider: 'openrouter', ...price })),
    })
    const count = Object.values(leftOut).reduce((sum, n) => sum + n, 0)
    if (count > 0) log.warn({ count }, `entries of the price list were left out: ${told(leftOut)}`)
    log.info({ count: prices.length }, 'prices of models were refreshed')
    return { models: prices.length, leftOut }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return failed(log, error instanceof SyntaxError ? message : `the list could not be read: ${message}`)
  }
}

function failed(log: Log, why: string, leftOut: LeftOut = {}): RefreshOutcome {
  const left = Object.keys(leftOut).length === 0 ? '' : ` (${told(leftOut)})`
  const error = `${why}${left}`.slice(0, 500)
  log.warn({}, `prices were not refreshed, those known before hold: ${error}`)
  return { error }
}

const told = (leftOut: LeftOut): string =>
  Object.entries(leftOut)
    .map(([why, count]) => `${why} ${count}`)
    .join(', ')
