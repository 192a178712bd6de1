import type { Queryable } from '../read/queryable.ts'

/** `unchanged`: a signal of that name and id is on record already. */
export type SignalAnswer = 'done' | 'unchanged' | 'not_found' | 'over'

export interface Signal {
  run: string
  name: string
  /** De-duplicates signals of the same name. */
  id: string
  data: unknown
  actor: string
}

/** Records a signal for a wait phase; kept also when no wait is open yet. */
export async function receiveSignal(
  db: Queryable,
  { run, name, id, data, actor }: Signal,
): Promise<SignalAnswer> {
  const { rows } = await db.query<{ answer: SignalAnswer }>({
    name: 'receive-signal',
    text: 'select devflow.receive_signal($1, $2, $3, $4::jsonb, $5) as answer',
    values: [run, name, id, JSON.stringify(data ?? null), actor],
  })
  return rows[0]?.answer ?? 'not_found'
}
