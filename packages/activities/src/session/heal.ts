import { hasOpenChunks, patiently } from '@devflow/db'
import { resetLine } from './chunk-pump.ts'
import { eventAt } from './place.ts'
import type { Session } from './session.ts'
import type { Transcript } from './transcript.ts'

/** A call that was under way when the last delivery died stays on the books as unsettled, and what it streamed is void. */
export async function heal(session: Session, transcript: Transcript): Promise<void> {
  const { deps, place, epoch } = session
  const { openCall } = transcript
  if (transcript.messages.length === 0 && !openCall) return
  const lines = [eventAt(place, 'session.resumed', `resumed/${epoch}`, { epoch, turns: transcript.turns })]
  if (!openCall) {
    await session.append(lines)
    return
  }
  const { turn, call, generationId } = openCall
  const lost = eventAt(
    place,
    'call.lost',
    `call-${call}/end`,
    { call, status: 'unsettled', generationId, reason: 'session_lost' },
    turn,
  )
  const streamed = await patiently(() =>
    hasOpenChunks(deps.pool, place.runId, place.phase, place.attempt, turn),
  )
  const reset = streamed ? [resetLine(place, epoch, turn, call)] : []
  deps.reach('before-heal')
  await session.append([...lines, lost, ...reset])
  deps.reach('after-heal')
  transcript.openCall = undefined
}
