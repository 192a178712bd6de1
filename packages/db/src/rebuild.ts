import type pg from 'pg'
import { mendPools, poolDifferences } from './budgets/pool-differences.ts'
import { transaction } from './command/transaction.ts'
import { openPool } from './open-pool.ts'
import { type Difference, differencesOf } from './rebuild/differences.ts'
import { mendRun } from './rebuild/mend-run.ts'
import { makeShadow, PROJECTION_TABLES, projectRuns, runColumn } from './rebuild/shadow.ts'

export type { Difference } from './rebuild/differences.ts'

export interface RebuildResult {
  /** How many runs were looked at. */
  runs: number
  differences: Difference[]
}

const RUNS_AT_ONCE = 200

/**
 * Proves the projections equal to the log (I2), in one snapshot, on a live system; without `check` also writes the
 * runs that differ anew. What is wrong with a log itself is reported and cannot be mended.
 */
export async function rebuild(databaseUrl: string, { check }: { check: boolean }): Promise<RebuildResult> {
  // The end of a pool does not wait for its connections: one may still hear that Postgres is being stopped.
  const pool = openPool(databaseUrl, { max: 1, application_name: 'devflow-rebuild' }, () => {})
  try {
    const result = await transaction(pool, compare)
    if (!check) {
      const runs = new Set(result.differences.filter(({ runId }) => runId !== '').map(({ runId }) => runId))
      for (const run of runs) await mendRun(pool, run)
      // After the ledger, which they are told from.
      if ((await poolDifferences(pool)).length > 0) await mendPools(pool)
    }
    return result
  } finally {
    await pool.end()
  }
}

async function compare(client: pg.PoolClient): Promise<RebuildResult> {
  await client.query('set transaction isolation level repeatable read')
  await client.query("set local client_min_messages = 'warning'")
  const differences = await poolDifferences(client)
  await makeShadow(client)
  differences.push(...(await orphans(client)))
  let runs = 0
  for (let last = '00000000-0000-0000-0000-000000000000'; ; ) {
    const { rows } = await client.query<{ run_id: string }>({
      text: 'select run_id from devflow.run_heads where run_id > $1 order by run_id limit $2',
      values: [last, RUNS_AT_ONCE],
    })
    const ids = rows.map((row) => row.run_id)
    if (ids.length > 0) {
      await projectRuns(client, ids)
      differences.push(...(await differencesOf(client, ids)))
    }
    runs += ids.length
    last = ids.at(-1) ?? last
    if (ids.length < RUNS_AT_ONCE) return { runs, differences }
  }
}

/** Rows of runs that have no head; but the calls of a deleted run stay. */
async function orphans(client: pg.PoolClient): Promise<Difference[]> {
  const found: Difference[] = []
  const sources = PROJECTION_TABLES.map((table) => ({
    table: table as string,
    run: runColumn(table),
    where: 'true',
  }))
  // The first row of every log is the event of its submission.
  for (const { table, run, where } of [
    ...sources,
    { table: 'run_events', run: 'run_id', where: 'seq = 1' },
  ]) {
    const { rows } = await client.query<{ run_id: string }>(
      `select distinct x.${run} as run_id from devflow.${table} x where ${where}
       and not exists (select 1 from devflow.run_heads h where h.run_id = x.${run})
       ${table === 'model_calls' ? 'and not exists (select 1 from devflow.tombstones t where t.run_id = x.run_id)' : ''}`,
    )
    found.push(...rows.map(({ run_id }) => ({ runId: run_id, table, detail: 'the run has no head' })))
  }
  return found
}
