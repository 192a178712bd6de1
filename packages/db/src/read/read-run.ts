import type { Run } from '@devflow/contracts'
import type { Queryable } from './queryable.ts'
import { RUN_VIEW, type RunRow, runOf } from './run-view.ts'

/** A run as clients see it; undefined when the tenant has none of that id. */
export async function readRun(db: Queryable, tenant: string, run: string): Promise<Run | undefined> {
  const { rows } = await db.query<RunRow>({
    name: 'read-run',
    text: `select ${RUN_VIEW} from devflow.runs r join devflow.run_heads h on h.run_id = r.id where r.id = $1 and r.tenant = $2`,
    values: [run, tenant],
  })
  return rows[0] && runOf(rows[0])
}
