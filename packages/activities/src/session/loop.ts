import { DevflowError } from '@devflow/contracts'
import type { Message } from '../models/model.ts'
import { answer } from './compaction/answer.ts'
import { type DeliveryEnd, HANDED_OVER } from './delivery-end.ts'
import { fail, stopped } from './ends.ts'
import type { Session } from './session.ts'
import { recordTools, startTools } from './tool-calls.ts'
import { quotaFailure } from './tool-quota.ts'
import type { Transcript } from './transcript.ts'
import { takeTurn } from './turn.ts'

const DEFAULT_TURNS = 50

/**
 * An agent phase: reserve, call, record, run tools, again; until an artifact is accepted, the phase fails, or the
 * session is stopped. It starts wherever `transcript` stands and keeps nothing that is not on record.
 */
export async function runLoop(
  session: Session,
  transcript: Transcript,
  prompt: Message[],
): Promise<DeliveryEnd> {
  const { stop, persona } = session
  if (transcript.messages.length === 0) {
    transcript.messages.push(...prompt)
    transcript.prompt = prompt.length
  }
  const mostTurns = persona.model.maxTurns ?? DEFAULT_TURNS
  for (;;) {
    // Tools of a turn whose results the last delivery did not get to record.
    if (transcript.openCalls.length > 0) {
      const { turns, openCalls } = transcript
      const tools = startTools(session, transcript, turns, openCalls)
      const end = await recordTools(session, transcript, turns, tools)
      if (end) return end
    }
    if (stop.reason) return await stopped(session)
    if (stop.leaving) return HANDED_OVER
    if (transcript.turns >= mostTurns) {
      return await fail(
        session,
        new DevflowError('INVALID', 'turn_limit', `The phase did not finish within ${mostTurns} turns.`),
      )
    }
    if (transcript.tokens > (persona.model.maxTokensTotal ?? Number.POSITIVE_INFINITY)) {
      return await fail(
        session,
        new DevflowError(
          'INVALID',
          'token_budget_exceeded',
          `The phase used more than ${persona.model.maxTokensTotal} tokens.`,
        ),
      )
    }
    const overrun = quotaFailure(transcript)
    if (overrun) return await fail(session, overrun)
    const turn = transcript.turns + 1
    const answered = await answer(session, transcript, turn, prompt)
    if (!('outcome' in answered)) return answered.end
    const end = await takeTurn(session, transcript, turn, answered)
    if (end) return end
  }
}
