import type { DecisionKind } from '@devflow/contracts'
import type { Queryable } from '../read/queryable.ts'
import type { DecisionAnswer } from './decide-gate.ts'

/** Refusals that whoever reads the log wants to know of; what was merely ill put is between the caller and us. */
const NOTED: readonly DecisionAnswer[] = ['not_approver', 'handed_over', 'is_author', 'closed']

export interface Refusal {
  run: string
  gate: string
  actor: string
  decision: DecisionKind
  answer: DecisionAnswer
  via: string
}

/**
 * Puts a decision that was refused on record, while its run goes on: each principal once an opening and reason. In a
 * transaction of its own, since a refused decision leaves none.
 */
export async function noteRefusal(db: Queryable, refusal: Refusal): Promise<void> {
  const { run, gate, actor, decision, answer, via } = refusal
  if (!NOTED.includes(answer)) return
  await db.query({
    name: 'note-refusal',
    text: 'select devflow.note_refusal($1, $2, $3, $4, $5, $6)',
    values: [run, gate, actor, decision, answer, via],
  })
}
