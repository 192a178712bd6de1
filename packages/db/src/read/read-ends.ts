import type { ErrorRecord, RunStatus } from '@devflow/contracts'
import type { Queryable } from './queryable.ts'

/** How a run stands, with what came of it. */
export interface RunEnd {
  id: string
  status: RunStatus
  output: unknown
  error: ErrorRecord | null
}

/** How these runs stand, those that there are. */
export async function readEnds(db: Queryable, runs: readonly string[]): Promise<RunEnd[]> {
  const { rows } = await db.query<RunEnd>({
    name: 'read-ends',
    text: 'select id, status, output, error from devflow.runs where id = any($1::uuid[])',
    values: [runs],
  })
  return rows
}
