import pg from 'pg'
import type { Queryable } from './read/queryable.ts'

/** What the pools of Devflow's processes differ in. */
export interface PoolSettings
  extends Pick<
    pg.PoolConfig,
    | 'max'
    | 'connectionTimeoutMillis'
    | 'statement_timeout'
    | 'query_timeout'
    | 'idle_in_transaction_session_timeout'
  > {
  /** Shown by Postgres, as in `pg_stat_activity`. */
  application_name: string
  /** More of `-c name=value`. */
  options?: string
}

/**
 * A pool as all processes use it. Its connections are kept, since each plans its statements once for itself, and pipeline:
 * queries that do not wait for each other's answers are sent together, and Postgres answers them in their order.
 * `onProblem` hears of idle connections that broke; the pool makes others.
 */
export function openPool(
  databaseUrl: string,
  { options = '', ...settings }: PoolSettings,
  onProblem: (error: Error) => void,
): pg.Pool {
  const pool = new pg.Pool({
    ...settings,
    connectionString: databaseUrl,
    idleTimeoutMillis: 0,
    keepAlive: true,
    pipeline: true,
    options: `-c timezone=UTC ${options}`.trim(),
  })
  pool.on('error', onProblem)
  // One that breaks while it is in use fails what is under way on it; unheard, it would end the process as well.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** Runs queries that do not wait for each other's answers on one connection: in their order, each its own transaction, in one round trip. */
export async function together<T>(pool: pg.Pool, work: (db: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    return await work(client)
  } finally {
    client.release()
  }
}
