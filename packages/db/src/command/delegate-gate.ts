import type { Queryable } from '../read/queryable.ts'

/** In the order of the checks: the first that applies is the answer. */
export type DelegationAnswer =
  | 'unknown_gate'
  | 'repeated'
  | 'not_approver'
  | 'is_author'
  | 'closed'
  | 'delegation_circle'
  | 'decided_already'
  | 'accepted'

export interface Delegation {
  run: string
  gate: string
  actor: string
  /** What the actor is, as approver lists write it. */
  holds: readonly string[]
  /** Who decides in the actor's place. */
  to: string
  comment?: string
  via: string
}

/** Hands an approver's seat at an open gate to somebody else; the latest one named has it. */
export async function delegateGate(db: Queryable, delegation: Delegation): Promise<DelegationAnswer> {
  const { run, gate, actor, holds, to, comment, via } = delegation
  const { rows } = await db.query<{ answer: DelegationAnswer }>({
    name: 'delegate-gate',
    text: 'select devflow.delegate($1, $2, $3, $4::text[], $5, $6, $7) as answer',
    values: [run, gate, actor, holds, to, comment ?? null, via],
  })
  return rows[0]?.answer ?? 'unknown_gate'
}
