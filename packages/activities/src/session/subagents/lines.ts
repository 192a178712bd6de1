import { type ErrorRecord, sessionKey } from '@devflow/contracts'
import type { EventLine } from '@devflow/db'
import { eventAt, type Place } from '../place.ts'
import type { Asked, Session } from '../session.ts'

/** Beginning and end of a session that another asked for help stand in the turn that asked. */
type AskedSession = Pick<Session, 'place' | 'persona' | 'tools'> & { asked: Asked }

export const startedKey = (call: string): string => `subagent/${call}/started`
export const completedKey = (call: string): string => `subagent/${call}/completed`

export function startedLine({ place, persona, tools, asked }: AskedSession): EventLine {
  const { by, turn, call, task, share } = asked
  const data = {
    id: call,
    session: sessionKey(place),
    persona: persona.id,
    model: persona.model.name,
    task,
    tools: tools.map(({ name }) => name),
    share: { ...share },
  }
  return eventAt(by, 'subagent.started', startedKey(call), data, turn)
}

export function completedLine(
  { place, asked }: { place: Place; asked: Asked },
  end: { ok: true; turns: number; bytes: number } | { ok: false; error: ErrorRecord },
): EventLine {
  const { by, turn, call } = asked
  return eventAt(
    by,
    'subagent.completed',
    completedKey(call),
    { id: call, session: sessionKey(place), ...end },
    turn,
  )
}
