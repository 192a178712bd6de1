import type { Queryable } from './queryable.ts'

/** Whether a gate of a run has closed after this place in its log. */
export async function hasGateClosed(db: Queryable, run: string, after: number): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'has-gate-closed',
    text: "select 1 from devflow.run_events where run_id = $1 and seq > $2 and type = 'gate.closed' limit 1",
    values: [run, after],
  })
  return rowCount === 1
}
