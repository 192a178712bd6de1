import type { DecisionKind } from '@devflow/contracts'
import type { Queryable } from '../read/queryable.ts'

/** In the order of the checks: the first that applies is the answer. */
export type DecisionAnswer =
  | 'unknown_run'
  | 'unknown_gate'
  | 'repeated'
  | 'not_approver'
  | 'handed_over'
  | 'is_author'
  | 'closed'
  | 'decided_otherwise'
  | 'changes_not_allowed'
  | 'rounds_exhausted'
  | 'hash_required'
  | 'subject_changed'
  | 'not_a_budget_gate'
  | 'raise_too_low'
  | 'accepted'

export interface Decision {
  /** Whose run it must be; of whoever it is when absent. */
  tenant?: string
  run: string
  gate: string
  actor: string
  /** What the actor is, as approver lists write it: `owner`, `role:…`, `principal:…`. */
  holds: readonly string[]
  decision: DecisionKind
  comment?: string
  /** What the actor looked at; the current subject when absent. */
  subjectHash?: string
  /** At a budget gate: the new limit; by default as much again as the first one. */
  raiseToMicroUsd?: number
  via: string
}

/** Decides a gate (I6) in one statement: accepted when its transaction commits; closes the gate at its quorum. */
export async function decideGate(db: Queryable, decision: Decision): Promise<DecisionAnswer> {
  const { rows } = await db.query<{ answer: DecisionAnswer }>({
    name: 'decide-gate',
    text: `select case when $10::text is null or exists (select 1 from devflow.run_heads where run_id = $1 and tenant = $10)
             then devflow.decide($1, $2, $3, $4::text[], $5, $6, $7, $8, $9) else 'unknown_run' end as answer`,
    values: [
      decision.run,
      decision.gate,
      decision.actor,
      decision.holds,
      decision.decision,
      decision.comment ?? null,
      decision.subjectHash ?? null,
      decision.via,
      decision.raiseToMicroUsd ?? null,
      decision.tenant ?? null,
    ],
  })
  return rows[0]?.answer ?? 'unknown_gate'
}
