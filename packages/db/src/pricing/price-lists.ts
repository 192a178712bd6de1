import type pg from 'pg'
import type { Queryable } from '../read/queryable.ts'

/** How the refresh of a provider's price list stands. */
export interface PriceListState {
  provider: string
  refreshedAt: Date | undefined
  attemptedAt: Date | undefined
  requestedAt: Date | undefined
  failures: number
  models: number | undefined
  leftOut: Record<string, number> | undefined
  error: string | undefined
  /** Someone asked by hand, and no attempt has begun since. */
  isAwaited: boolean
}

interface Row {
  provider: string
  refreshed_at: Date | null
  attempted_at: Date | null
  requested_at: Date | null
  failures: number
  models: number | null
  left_out: Record<string, number> | null
  error: string | null
  is_awaited: boolean
}

const COLUMNS = `provider, refreshed_at, attempted_at, requested_at, failures, models, left_out, error,
  requested_at is not null and (attempted_at is null or attempted_at < requested_at) as is_awaited`

const stateOf = (row: Row): PriceListState => ({
  provider: row.provider,
  refreshedAt: row.refreshed_at ?? undefined,
  attemptedAt: row.attempted_at ?? undefined,
  requestedAt: row.requested_at ?? undefined,
  failures: row.failures,
  models: row.models ?? undefined,
  leftOut: row.left_out ?? undefined,
  error: row.error ?? undefined,
  isAwaited: row.is_awaited,
})

export async function readPriceLists(db: Queryable): Promise<PriceListState[]> {
  const { rows } = await db.query<Row>({
    name: 'read-price-lists',
    text: `select ${COLUMNS} from devflow.price_lists order by provider`,
  })
  return rows.map(stateOf)
}

/** Asks for a refresh by hand; answers how the list stands. */
export async function requestPriceRefresh(db: Queryable, provider: string): Promise<PriceListState> {
  const { rows } = await db.query<Row>({
    name: 'request-price-refresh',
    text: `insert into devflow.price_lists as l (provider, requested_at) values ($1, clock_timestamp())
           on conflict (provider) do update set requested_at = excluded.requested_at returning ${COLUMNS}`,
    values: [provider],
  })
  const [row] = rows
  if (!row) throw new Error('an upsert answered no row')
  return stateOf(row)
}

/** How long after its last attempt a list is read again, in ms. */
export interface RefreshPace {
  /** Undefined: only when someone asks. */
  everyMs: number | undefined
  /** After a failure: doubles, up to `everyMs`. */
  retryMs: number
}

/** What an attempt brought. */
export type RefreshOutcome = { models: number; leftOut: Record<string, number> } | { error: string }

/**
 * Runs `attempt` when the provider's list is due, in one process at a time: an advisory lock holds the others off, and
 * ends with the connection. Answers the outcome, undefined where nothing was due here.
 */
export async function whenPriceListIsDue(
  pool: pg.Pool,
  provider: string,
  { everyMs, retryMs }: RefreshPace,
  attempt: () => Promise<RefreshOutcome>,
): Promise<RefreshOutcome | undefined> {
  const due = async (db: Queryable) => {
    const { rows } = await db.query<{ now: string }>({
      name: 'price-list-due',
      text: `select clock_timestamp()::text as now from (select $1::text as provider) x left join devflow.price_lists l using (provider)
             where (l.requested_at is not null and (l.attempted_at is null or l.attempted_at < l.requested_at))
               or ($2::float8 is not null and (l.attempted_at is null
                 or l.attempted_at < clock_timestamp() - interval '1 ms' * case when l.failures = 0 then $2 else least($2, $3 * 2 ^ least(l.failures - 1, 20)) end))`,
      values: [provider, everyMs ?? null, retryMs],
    })
    return rows[0]?.now
  }
  if ((await due(pool)) === undefined) return undefined
  const client = await pool.connect()
  let isBroken = true
  try {
    const { rows } = await client.query<{ locked: boolean }>(
      'select pg_try_advisory_lock(hashtext($1)) as locked',
      [`devflow.prices.${provider}`],
    )
    if (!rows[0]?.locked) {
      isBroken = false
      return undefined
    }
    // Whoever had the lock before may have done it.
    const started = await due(client)
    const outcome = started === undefined ? undefined : await attempt()
    if (started !== undefined && outcome) await noteAttempt(client, provider, started, outcome)
    await client.query('select pg_advisory_unlock(hashtext($1))', [`devflow.prices.${provider}`])
    isBroken = false
    return outcome
  } finally {
    // A connection that failed is ended, and with it its lock.
    client.release(isBroken)
  }
}

async function noteAttempt(
  db: Queryable,
  provider: string,
  started: string,
  outcome: RefreshOutcome,
): Promise<void> {
  const read = 'error' in outcome ? undefined : outcome
  await db.query({
    name: 'note-price-attempt',
    text: `insert into devflow.price_lists as l (provider, attempted_at, refreshed_at, failures, models, left_out, error)
           values ($1, $2::timestamptz, case when $3::text is null then clock_timestamp() end, case when $3::text is null then 0 else 1 end, $4, $5, $3)
           on conflict (provider) do update set attempted_at = excluded.attempted_at, error = excluded.error,
             refreshed_at = coalesce(excluded.refreshed_at, l.refreshed_at), models = coalesce(excluded.models, l.models), left_out = coalesce(excluded.left_out, l.left_out),
             failures = case when excluded.error is null then 0 else l.failures + 1 end`,
    values: [
      provider,
      started,
      'error' in outcome ? outcome.error : null,
      read?.models ?? null,
      read ? JSON.stringify(read.leftOut) : null,
    ],
  })
}
