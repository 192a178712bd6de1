import type { BudgetPolicy, BudgetScope, ChunkKind, EventType } from '@devflow/contracts'

/** An event to append. `key` names the work (I3) and is unique in its run. */
export interface EventLine {
  type: EventType
  key: string
  phase?: string
  attempt?: number
  turn?: number
  data?: Record<string, unknown>
}

/** A piece of streamed output to append, or the mark that voids what this turn streamed before. */
export interface ChunkLine {
  type: 'chunk' | 'chunk.reset'
  key: string
  phase: string
  attempt: number
  turn: number
  delivery: number
  kind?: ChunkKind
  text?: string
}

export type Line = EventLine | ChunkLine

/** What a call may take at most, and of whom. */
export interface Reserve {
  /** Undefined: nobody knows the price. A limit in money then refuses it, unless it allows unpriced models. */
  microUsd: number | undefined
  tokens: number
  /** Whose daily budget it is charged to. */
  persona?: string
}

/** A budget that does not hold a reservation. */
export interface Overrun {
  scope: BudgetScope
  /** Of a persona's budget: the id, or the name for all its versions; of scope `run`: the run whose budget is shared. */
  persona?: string
  /** The UTC day, of a budget by the day. */
  day?: string
  onExceeded: BudgetPolicy
  limitMicroUsd?: number
  limitTokens?: number
  /** What is neither spent nor reserved. */
  leftMicroUsd?: number
  leftTokens?: number
  wantedMicroUsd?: number
  wantedTokens: number
  exceeded: ('money' | 'tokens' | 'unpriced')[]
}

/** Lines that stand or fall together, and who writes them. */
export interface Member {
  run: string
  /** Written by an agent session: fenced once another took it over. */
  session?: { id: string; epoch: number }
  /** Written by a workflow: fenced once another execution began. */
  execution?: number
  /** Money and tokens that must be free in the run's budget; refused otherwise, and while paused or canceled. */
  reserve?: Reserve
  lines: Line[]
}

export type Refusal = 'paused' | 'canceled' | 'over_budget'

/** What became of a member. `seq` is that of its last line. */
export type Answer =
  /** `past`: budgets that were gone past, and only warn of it. */
  | { verdict: 'written'; seq: number; past?: Overrun[] }
  | { verdict: 'duplicate'; seq: number; past?: Overrun[] }
  | { verdict: 'fenced' }
  /** `over`: of `over_budget`, the budget that does not hold it. */
  | { verdict: 'refused'; code: Refusal; over?: Overrun }
  | { verdict: 'no_run' }
