import { GroupWriter } from '@devflow/db'
import pg from 'pg'
import { createPrices } from '../models/model-prices.ts'
import { openRouterModel } from '../models/openrouter.ts'
import type { LedgerDeps } from './reconcile.ts'

/** What a sweep of the ledger takes, for a process or a test. */
export function sweepingDeps(
  databaseUrl: string,
  baseURL: string,
  callBackoffMs = 10,
): LedgerDeps & { pool: pg.Pool; close(): Promise<void> } {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 8 })
  pool.on('error', () => {}) // Dropping the database ends idle connections.
  const writer = new GroupWriter(databaseUrl, pool)
  const ignore = () => {}
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore }
  return {
    pool,
    writer,
    adapters: { openrouter: openRouterModel({ apiKey: 'sk-or-v1-test', baseURL }) },
    prices: createPrices(pool, log),
    log,
    times: { callBackoffMs, callPatienceMs: 60_000 },
    async close() {
      await writer.close()
      await pool.end()
    },
  }
}
