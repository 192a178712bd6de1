import type { PhaseView } from '@devflow/contracts'
import { z } from 'zod'
import { CursorText, keyOfCursor, type Page, pageOf } from './cursor.ts'
import type { Queryable } from './queryable.ts'
import { phaseOf, reusedIn } from './run-view.ts'

type Row = PhaseView & { position: number[] }

/** The phases of a run in order. Throws DevflowError INVALID `bad_cursor`. */
export async function readPhases(
  db: Queryable,
  run: string,
  { cursor, limit }: { cursor?: string; limit: number },
): Promise<Page<PhaseView>> {
  const [position, id] =
    cursor === undefined ? [[], ''] : keyOfCursor(cursor, z.tuple([z.array(z.int32()), CursorText]))
  const { rows } = await db.query<Row>({
    name: 'read-phases',
    text: `select p.id, p.kind, p.status, p.attempt, p.started_at as "startedAt", p.ended_at as "endedAt", p.error, p.position,
             ${reusedIn('(select forked_from from devflow.runs where id = $1)')} as reused
           from devflow.phases p where p.run_id = $1 and (p.position, p.id) > ($2::int[], $3::text)
           order by p.position, p.id limit $4`,
    values: [run, position, id, limit + 1],
  })
  const view = ({ position: _, ...phase }: Row) => phaseOf(phase)
  return pageOf(rows, limit, view, (row) => [row.position, row.id])
}
