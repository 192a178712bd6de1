import type { RunStatus } from '@devflow/contracts'
import type { Numeric, Queryable } from './queryable.ts'

/** How far a run's log goes and whether the run is over, at one moment. */
export interface Head {
  runId: string
  status: RunStatus
  lastSeq: number
  over: boolean
  /** A cancel is on record, and the run is not over yet. */
  isCanceling: boolean
}

/** The heads of those of these runs that the tenant has; undefined as tenant means any. */
export async function readHeads(
  db: Queryable,
  tenant: string | undefined,
  runs: readonly string[],
): Promise<Head[]> {
  const { rows } = await db.query<Omit<Head, 'lastSeq'> & { lastSeq: Numeric }>({
    name: 'read-heads',
    text: `select h.run_id as "runId", r.status, h.seq as "lastSeq", h.control = 'over' as over, h.control = 'canceled' as "isCanceling"
           from devflow.run_heads h join devflow.runs r on r.id = h.run_id
           where h.run_id = any($1::uuid[]) and ($2::text is null or h.tenant = $2)`,
    values: [runs, tenant ?? null],
  })
  return rows.map((row) => ({ ...row, lastSeq: Number(row.lastSeq) }))
}

/** Whether a run of that id was deleted: all that is left of it is a tombstone. */
export async function isDeleted(db: Queryable, tenant: string, run: string): Promise<boolean> {
  const { rows } = await db.query({
    name: 'is-deleted',
    text: 'select 1 from devflow.tombstones where run_id = $1 and tenant = $2',
    values: [run, tenant],
  })
  return rows.length > 0
}
