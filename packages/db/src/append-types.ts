import type { ChunkKind, EventType } from '@devflow/contracts'

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

/** Lines that stand or fall together, and who writes them. */
export interface Member {
  run: string
  /** Written by an agent session: fenced once another took it over. */
  session?: { id: string; epoch: number }
  /** Written by a workflow: fenced once another execution began. */
  execution?: number
  /** Money and tokens that must be free in the run's budget; refused otherwise, and while paused or canceled. */
  reserve?: { microUsd: number; tokens: number }
  lines: Line[]
}

export type Refusal = 'paused' | 'canceled' | 'over_budget'

/** What became of a member. `seq` is that of its last line. */
export type Answer =
  | { verdict: 'written'; seq: number }
  | { verdict: 'duplicate'; seq: number }
  | { verdict: 'fenced' }
  | { verdict: 'refused'; code: Refusal }
  | { verdict: 'no_run' }
