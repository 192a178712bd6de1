import type { EventLine, Overrun } from '../append-types.ts'
import type { Queryable } from '../read/queryable.ts'

/** A session that wants more than a budget holds. */
export interface BudgetQuestion {
  run: string
  session: { id: string; epoch: number }
  phase: string
  attempt: number
  /** What starts the phase; left out where it is on record. */
  start: EventLine | undefined
  over: Overrun
  title: string
  /** Of what is asked about. */
  hash: string
}

/**
 * Lets a phase wait at the run's open budget gate, or at a new one. Answers the gate; undefined when the session is not
 * the phase's any more, its attempt over, or the run about to end.
 */
export async function askBudget(db: Queryable, question: BudgetQuestion): Promise<string | undefined> {
  const { run, session, phase, attempt, start, over, title, hash } = question
  const { rows } = await db.query<{ gate: string | null }>({
    name: 'ask-budget',
    text: 'select devflow.ask_budget($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8, $9) as gate',
    values: [run, session.id, session.epoch, phase, attempt, start ?? null, over, title, hash].map(asJson),
  })
  return rows[0]?.gate ?? undefined
}

const asJson = (value: unknown) =>
  value !== null && typeof value === 'object' ? JSON.stringify(value) : value
