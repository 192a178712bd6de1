import type { RunStatus } from '@devflow/contracts'
import type { Numeric, Queryable } from './queryable.ts'
import { conditionsOf, type RunFilter } from './run-filter.ts'

export interface RunPoke {
  runId: string
  status: RunStatus
  lastSeq: number
}

type Row = Omit<RunPoke, 'lastSeq'> & { lastSeq: Numeric }

const POKE = 'r.id as "runId", r.status, h.seq as "lastSeq"'

/** Those of these runs that match the filter, as they stand. */
export async function readPokes(
  db: Queryable,
  filter: RunFilter,
  runs: readonly string[],
): Promise<RunPoke[]> {
  const values: unknown[] = []
  const conditions = conditionsOf(filter, values)
  const { rows } = await db.query<Row>({
    text: `select ${POKE} from devflow.runs r join devflow.run_heads h on h.run_id = r.id
           where ${conditions.join(' and ')} and r.id = any($${values.push(runs)}::uuid[])`,
    values,
  })
  return rows.map(pokeOf)
}

/**
 * Runs whose log grew since a time, at least: those under way whose last row is newer, and those that ended since.
 * What reconciliation adds to a run that ended before is not looked for. Ordered by id, after `cursor`.
 */
export async function changedRuns(
  db: Queryable,
  filter: RunFilter,
  since: Date,
  { cursor, limit }: { cursor?: string; limit: number },
): Promise<RunPoke[]> {
  const values: unknown[] = []
  const parameter = (value: unknown) => `$${values.push(value)}`
  const conditions = conditionsOf(filter, values)
  const after = parameter(since)
  if (cursor !== undefined) conditions.push(`r.id > ${parameter(cursor)}::uuid`)
  const { rows } = await db.query<Row>({
    text: `select ${POKE} from devflow.runs r join devflow.run_heads h on h.run_id = r.id
           where ${conditions.join(' and ')} and (r.ended_at >= ${after}
             or (r.status in ('queued', 'running', 'waiting', 'paused') and h.last_at >= ${after}))
           order by r.id limit ${parameter(limit)}`,
    values,
  })
  return rows.map(pokeOf)
}

/** The database's clock. */
export async function readClock(db: Queryable): Promise<Date> {
  const { rows } = await db.query<{ now: Date }>({
    name: 'read-clock',
    text: 'select clock_timestamp() as now',
  })
  const [row] = rows
  if (!row) throw new Error('the database has no clock')
  return row.now
}

function pokeOf({ runId, status, lastSeq }: Row): RunPoke {
  return { runId, status, lastSeq: Number(lastSeq) }
}
