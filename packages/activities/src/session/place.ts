import { sessionKey } from '@devflow/contracts'
import type { EventLine } from '@devflow/db'

/** Where a session works. Keys and events of an attempt are made here, and only here (I3). */
export interface Place {
  runId: string
  phase: string
  attempt: number
}

/** Stands before what names an agent that was asked for help; no phase has it in its own id. */
const ASKED = '~'

/** Where an agent works that a session asked for help: by the n-th tool call of a turn, counted from 1. */
export const subagentPlace = (place: Place, turn: number, n: number): Place => ({
  ...place,
  phase: `${place.phase}${ASKED}${turn}.${n}`,
})

/** The phase itself, also where an agent works that was asked for help in it. */
export const phaseOf = ({ phase }: Pick<Place, 'phase'>): string => phase.split(ASKED, 1)[0] ?? phase

/** The session whose epoch stands for an attempt: all agents that were asked for help write under it (I13). */
export const ownerId = (place: Place): string => sessionKey({ ...place, phase: phaseOf(place) })

/** An event of the attempt, or of a turn of it; `key` goes on where the attempt's or the turn's ends. */
export function eventAt(
  place: Place,
  type: EventLine['type'],
  key: string,
  data: Record<string, unknown>,
  turn?: number,
): EventLine {
  const { phase, attempt } = place
  const base = turn === undefined ? sessionKey(place) : `${sessionKey(place)}/${turn}`
  return { type, key: `${base}/${key}`, phase, attempt, ...(turn === undefined ? {} : { turn }), data }
}
