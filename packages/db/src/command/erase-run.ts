import type { Queryable } from '../read/queryable.ts'

export type EraseAnswer = 'done' | 'not_found' | 'not_over' | 'gone'

/** Erases a finished run, its log too, and leaves a tombstone. */
export async function eraseRun(db: Queryable, run: string, actor: string): Promise<EraseAnswer> {
  const { rows } = await db.query<{ answer: EraseAnswer }>({
    name: 'erase-run',
    text: 'select devflow.erase_run($1, $2) as answer',
    values: [run, actor],
  })
  return rows[0]?.answer ?? 'not_found'
}
