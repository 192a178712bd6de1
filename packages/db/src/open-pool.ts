import pg from 'pg'

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
  return pool
}
