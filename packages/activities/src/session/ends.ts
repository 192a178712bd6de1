import { DevflowError, type SessionEnd } from '@devflow/contracts'
import type { EventLine } from '@devflow/db'
import { type DeliveryEnd, FENCED, HANDED_OVER } from './delivery-end.ts'
import { eventAt } from './place.ts'
import { isFenced, type Session } from './session.ts'
import { completedLine, startedLine } from './subagents/lines.ts'

/** Ends the phase with an error on record; `before` are lines that explain it. */
export async function fail(
  session: Session,
  error: DevflowError,
  before: EventLine[] = [],
): Promise<SessionEnd> {
  const { place, persona, asked } = session
  const start = asked
    ? startedLine({ ...session, asked })
    : eventAt(place, 'phase.started', 'start', { kind: 'agent', persona: persona.id })
  const answer = await session.append([start, ...before, failureLine(session, error)])
  return isFenced(answer) ? FENCED : { ended: 'failed' }
}

export function failureLine({ deps, place, asked }: Session, error: DevflowError): EventLine {
  if (asked) return completedLine({ place, asked }, { ok: false, error: deps.scrub(error.record) })
  return eventAt(place, 'phase.failed', 'end', { error: deps.scrub(error.record) })
}

/** How a session that was stopped in the middle ends. */
export async function stopped(session: Session): Promise<DeliveryEnd> {
  // The one that asked is stopped too, and says what that means.
  if (session.asked) return HANDED_OVER
  switch (session.stop.reason) {
    case 'canceled':
      return { ended: 'stopped', why: 'canceled' }
    case 'timeout':
      return await fail(
        session,
        new DevflowError('TIMEOUT', 'phase_timeout', 'The phase did not finish within its timeout.'),
      )
    case 'shutdown':
      return HANDED_OVER
    default:
      return FENCED
  }
}
