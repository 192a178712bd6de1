import { DevflowError } from '@devflow/contracts'
import type { EventLine } from '@devflow/db'
import type { Message, ModelError } from '../models/model.ts'
import { callWithin, overBudget, pricesOf } from './budget.ts'
import type { Answered, CallOutcome } from './call.ts'
import type { Pace } from './call-slots.ts'
import { type DeliveryEnd, FENCED, HANDED_OVER } from './delivery-end.ts'
import { fail, stopped } from './ends.ts'
import { afterFailure, type Calling, followCalls, modelInUse } from './fallback.ts'
import { eventAt } from './place.ts'
import { reservationFor } from './reservation.ts'
import type { Session } from './session.ts'
import { startedLine } from './subagents/lines.ts'
import { withinShare } from './subagents/share.ts'
import type { Transcript } from './transcript.ts'

/** What a model is asked for: the turn itself, or a summary of those before, which readers of the stream do not see. */
export type Purpose = 'turn' | 'summary'

/** What a provider refuses for its length alone: shorter, it may be taken. */
const TOO_LONG: readonly string[] = ['context_length_exceeded', 'provider_payload_too_large']

/**
 * Calls a model for a turn, again after errors that pass, then the next one; each call is one row of the ledger. A
 * conversation that is too long is told: asking again would not help. So is a turn's next model, which may take in less.
 */
export async function askModel(
  session: Session,
  transcript: Transcript,
  turn: number,
  prompt: Message[],
  { messages, purpose }: { messages: Message[]; purpose: Purpose },
): Promise<Answered | { end: DeliveryEnd } | { tooLong: ModelError } | { fellBack: true }> {
  const { deps, persona, tools, place, stop } = session
  const { calling } = transcript
  const prices = await pricesOf(session)
  const { phase, attempt, runId } = place
  const root = purpose === 'turn' ? session.rootOfModel : undefined
  for (;;) {
    const model = modelInUse(persona.model, calling)
    const whole = await withinShare(session, reservationFor(prices, model, messages, tools))
    const request = {
      model,
      messages,
      tools,
      sessionId: `${runId}/${phase}/${attempt}`,
      phase,
      attempt,
      turn,
      purpose,
      ...(root === undefined ? {} : { root }),
    }
    transcript.callsOfNextTurn += 1
    const call = transcript.callsOfNextTurn
    const first = call === 1 ? openingLines(session, turn, prompt) : []
    const result = await deps.slots.run(
      model.provider,
      stop.leavingSignal,
      () => callWithin(session, turn, call, request, whole, first),
      paceOf,
    )
    if (!result) return { end: stop.reason ? await stopped(session) : HANDED_OVER }
    switch (result.outcome) {
      case 'answered':
        calling.failed = 0
        return result
      case 'fenced':
        return { end: FENCED }
      case 'stopped':
        return { end: await stopped(session) }
      case 'refused':
        return {
          end:
            result.code === 'over_budget'
              ? await overBudget(session, turn, call, result.over, first)
              : { ended: 'stopped', why: result.code },
        }
      case 'failed': {
        calling.failed += 1
        if (TOO_LONG.includes(result.error.code)) return { tooLong: result.error }
        const after = afterFailure(persona.model, calling, result.error)
        if (after.next === 'fail') return { end: await fail(session, failureOf(result.error)) }
        if (after.next === 'fallback') fallBack(session, calling, turn, call, after.to, result.error)
        else if (after.pause) await pause(session, result.error, calling.failed)
        if (stop.reason) return { end: await stopped(session) }
        if (stop.leaving) return { end: HANDED_OVER }
        if (after.next === 'fallback' && purpose === 'turn') return { fellBack: true }
        deps.log.info({ ...place, turn, call, model: calling.model }, 'calling a model again')
      }
    }
  }
}

/** What opens a turn, written with its first reservation; the first turn's holds the prompt, for the record and for resuming. */
function openingLines(session: Session, turn: number, prompt: Message[]): EventLine[] {
  const { place, persona, definition, root, progress, commit, asked } = session
  const started = eventAt(place, 'turn.started', 'started', turn === 1 ? { messages: prompt } : {}, turn)
  if (turn > 1) return [started]
  if (asked) return [startedLine({ ...session, asked }), started]
  const workspace =
    root !== undefined && progress.workspace ? { repo: progress.workspace.repo, commit } : undefined
  const data = {
    kind: 'agent',
    persona: persona.id,
    model: persona.model.name,
    template: definition.template,
    ...(workspace ? { workspace } : {}),
  }
  return [eventAt(place, 'phase.started', 'start', data), started]
}

function paceOf(result: CallOutcome): Pace {
  if (result.outcome === 'answered') return 'borne'
  return result.outcome === 'failed' && result.error.kind === 'RATE_LIMITED' ? 'too fast' : undefined
}

/** For the rest of the attempt: the event tells later deliveries. */
function fallBack(
  session: Session,
  calling: Calling,
  turn: number,
  call: number,
  to: string,
  error: ModelError,
): void {
  const data = { from: modelInUse(session.persona.model, calling).name, to, reason: error.code }
  session.post([eventAt(session.place, 'model.fallback', `call-${call}/fallback`, data, turn)])
  followCalls(calling, { type: 'model.fallback', data })
}

export function failureOf(error: ModelError): DevflowError {
  return new DevflowError(error.kind, error.code, error.message)
}

/** Waits before the next call: what the provider asks for, else doubling with jitter; at most a minute. */
async function pause({ deps, stop }: Session, error: ModelError, tries: number): Promise<void> {
  const backoff = deps.times.callBackoffMs * 2 ** (tries - 1) * (0.5 + Math.random())
  const ms = Math.min(error.retryAfterMs ?? backoff, 60_000)
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    const wake = () => {
      clearTimeout(timer)
      resolve()
    }
    stop.signal.addEventListener('abort', wake, { once: true })
    if (stop.signal.aborted) wake()
  })
}
