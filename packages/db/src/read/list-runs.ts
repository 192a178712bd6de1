import type { Run, RunStatus } from '@devflow/contracts'
import { z } from 'zod'
import { keyOfCursor, type Page, pageOf } from './cursor.ts'
import type { Queryable } from './queryable.ts'
import { conditionsOf, type RunFilter } from './run-filter.ts'
import { RUN_VIEW, type RunRow, runOf } from './run-view.ts'

export interface RunListFilter extends RunFilter {
  status?: readonly RunStatus[]
  /** Inclusive. */
  createdAfter?: Date
  /** Exclusive. */
  createdBefore?: Date
}

/** Runs, newest first. Throws DevflowError INVALID `bad_cursor`. */
export async function listRuns(
  db: Queryable,
  filter: RunListFilter,
  { cursor, limit }: { cursor?: string; limit: number },
): Promise<Page<Run>> {
  const values: unknown[] = []
  const parameter = (value: unknown) => `$${values.push(value)}`
  const conditions = conditionsOf(filter, values)
  if (filter.status) conditions.push(`r.status = any(${parameter(filter.status)}::text[])`)
  if (filter.createdAfter) {
    // Ids hold the clock of the process that submitted: a day of grace for its error, and the index does the rest.
    const after = parameter(filter.createdAfter)
    conditions.push(
      `r.created_at >= ${after} and r.id >= devflow.first_run_id(${after}::timestamptz - interval '1 day')`,
    )
  }
  if (filter.createdBefore) {
    const before = parameter(filter.createdBefore)
    conditions.push(
      `r.created_at < ${before} and r.id < devflow.first_run_id(${before}::timestamptz + interval '1 day')`,
    )
  }
  if (cursor !== undefined)
    conditions.push(`r.id < ${parameter(keyOfCursor(cursor, z.tuple([z.uuid()]))[0])}`)
  const { rows } = await db.query<RunRow>({
    text: `select ${RUN_VIEW} from devflow.runs r join devflow.run_heads h on h.run_id = r.id
           where ${conditions.join(' and ')} order by r.id desc limit ${parameter(limit + 1)}`,
    values,
  })
  return pageOf(rows, limit, runOf, (row) => [row.id])
}
