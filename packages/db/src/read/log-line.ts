import type { RunEvent, RunStatus } from '@devflow/contracts'
import { isoTime, type Numeric, present } from './queryable.ts'

/** A part of a run's log, and how the run stood at that moment. */
export interface LogPage {
  items: RunEvent[]
  /** Where to go on: past the rows shown and past those left out. */
  nextAfter: number
  status: RunStatus
  lastSeq: number
  /** The run is over and nothing lies after `nextAfter`. */
  done: boolean
}

/** A row of either table of the log. */
export interface LineRow {
  seq: Numeric
  type: string
  at: Date
  phase: string | null
  attempt: number | null
  turn: number | null
  key: string
  data: RunEvent['data'] | null
  delivery: number | null
  kind: string | null
  text: string | null
}

export function lineOf(run: string, row: LineRow): RunEvent {
  const line = {
    runId: run,
    seq: Number(row.seq),
    type: row.type,
    at: isoTime(row.at),
    ...present({
      phase: row.phase ?? undefined,
      attempt: row.attempt ?? undefined,
      turn: row.turn ?? undefined,
    }),
    key: row.key,
  }
  return { ...line, data: row.data ?? chunkOf(line, row) }
}

/** A chunk stands in the log in the same form as an event; all that is its own, and what it stands with, is its data. */
function chunkOf({ type, key: _, ...place }: Omit<RunEvent, 'data'>, row: LineRow): RunEvent['data'] {
  const chunk = { ...place, session: `${row.phase}/${row.attempt}`, delivery: row.delivery }
  if (type === 'chunk.reset') return { ...chunk, fromSeq: place.seq }
  return present({ ...chunk, kind: row.kind, text: row.text })
}
