import type { EventLine } from '@devflow/db'

/** Where a session works. Keys and events of an attempt are made here, and only here (I3). */
export interface Place {
  runId: string
  phase: string
  attempt: number
}

/** The id of the session that plays an attempt of a phase. */
export const sessionId = ({ phase, attempt }: Place): string => `${phase}/${attempt}`

/** An event of the attempt, or of a turn of it; `key` goes on where the attempt's or the turn's ends. */
export function eventAt(
  place: Place,
  type: EventLine['type'],
  key: string,
  data: Record<string, unknown>,
  turn?: number,
): EventLine {
  const { phase, attempt } = place
  const base = turn === undefined ? sessionId(place) : `${sessionId(place)}/${turn}`
  return { type, key: `${base}/${key}`, phase, attempt, ...(turn === undefined ? {} : { turn }), data }
}
