import type { Queryable } from '../read/queryable.ts'

/** Wakes of runs that are gone: nobody could take them, and they would be looked at for ever. */
export async function deleteWakesOfGoneRuns(db: Queryable): Promise<number> {
  return await deleted(
    db,
    'delete from devflow.outbox o where not exists (select 1 from devflow.run_heads h where h.run_id = o.run_id)',
  )
}

/** Questions about the cost of calls that are in no ledger. */
export async function deleteLookupsWithoutCall(db: Queryable): Promise<number> {
  return await deleted(
    db,
    `delete from devflow.call_lookups l where not exists (select 1 from devflow.model_calls m
       where (m.run_id, m.phase, m.attempt, m.turn, m.call) = (l.run_id, l.phase, l.attempt, l.turn, l.call))`,
  )
}

/** Tables that are written without the lock of the run's head: somebody may have written while the run was being deleted. */
const UNLOCKED = ['blobs', 'blob_parts', 'event_looks', 'sessions'] as const

/** What was written of a run while it was being deleted. */
export async function deleteRowsOfDeletedRuns(db: Queryable): Promise<number> {
  let sum = 0
  for (const table of UNLOCKED) {
    sum += await deleted(
      db,
      `delete from devflow.${table} x using devflow.tombstones t where x.run_id = t.run_id and t.deleted_at > clock_timestamp() - interval '7 days'`,
    )
  }
  return sum
}

async function deleted(db: Queryable, text: string): Promise<number> {
  const { rowCount } = await db.query({ text })
  return rowCount ?? 0
}
