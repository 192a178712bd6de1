import type { Queryable } from '../read/queryable.ts'

/** `open`: not over. `overForMs`: how long it has been over. `deletedBy`: all that is left is a tombstone. */
export type RunStanding =
  | { is: 'open' }
  | { is: 'over'; overForMs: number }
  | { is: 'deleted'; deletedBy: string }

/** How these runs stand; those that there never were are missing. */
export async function standingOf(db: Queryable, runs: readonly string[]): Promise<Map<string, RunStanding>> {
  const { rows } = await db.query<{ id: string; control: string | null; ms: number | null; actor: string }>({
    name: 'standing-of-runs',
    text: `select h.run_id as id, h.control, extract(epoch from clock_timestamp() - r.ended_at)::float8 * 1000 as ms, '' as actor
             from devflow.run_heads h join devflow.runs r on r.id = h.run_id where h.run_id = any($1::uuid[])
           union all select t.run_id, null, null, t.actor from devflow.tombstones t where t.run_id = any($1::uuid[])`,
    values: [runs],
  })
  return new Map(
    rows.map(({ id, control, ms, actor }): [string, RunStanding] => {
      if (control === null) return [id, { is: 'deleted', deletedBy: actor }]
      return [id, control === 'over' ? { is: 'over', overForMs: ms ?? 0 } : { is: 'open' }]
    }),
  )
}
