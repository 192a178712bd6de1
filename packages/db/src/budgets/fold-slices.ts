import type { Queryable } from '../read/queryable.ts'

/**
 * Returns what slices of shared budgets have not used: those of one process, at its end, and those that nobody touched
 * since a time, whose processes may be dead. Answers how many there were.
 */
export async function foldSlices(db: Queryable, owner: string, untouchedSince?: Date): Promise<number> {
  const { rows } = await db.query<{ folded: string }>({
    name: 'fold-slices',
    text: 'select devflow.fold_slices($1, $2) as folded',
    values: [owner, untouchedSince ?? null],
  })
  return Number(rows[0]?.folded ?? 0)
}
