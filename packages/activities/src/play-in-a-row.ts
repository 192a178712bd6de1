import type { Directive, Onward, SessionEnd, SessionInput } from '@devflow/contracts'
import { wakeRun } from '@devflow/db'
import { Context } from '@temporalio/activity'
import { enter } from './control/enter.ts'
import type { Deps, SessionKind } from './deps.ts'
import { deliverFunction } from './function-phases/index.ts'
import { HANDED_OVER, handOver } from './session/delivery-end.ts'
import type { Place } from './session/place.ts'
import { deliverAgent } from './session/run-agent-phase.ts'
import { Stop, watching } from './session/stop.ts'

/** A session that an activity took on and that lasts this long is told to its workflow, for who looks there. */
const TELLING_MS = 2_000

const DELIVERIES = { agent: deliverAgent, function: deliverFunction }

/**
 * The activity of a session, and of those that follow it while it is young: the way through Temporal costs more than many a
 * quick phase itself. Each is entered as always (I14) and has an epoch of its own. Only one that nobody has begun is gone on
 * with: a delivery that was frozen meanwhile must not take from another what that one plays by now (I13), and after a
 * crash the workflow asks for what was begun.
 */
export async function playInARow(
  deps: Deps,
  first: SessionKind,
  { runId, onward, ...ref }: SessionInput,
): Promise<SessionEnd> {
  const context = Context.current()
  const until = performance.now() + deps.times.inARowMs
  let kind = first
  let place: Place = { runId, ...ref }
  for (let taken = 0; ; taken += 1) {
    const isFirst = taken === 0
    const following = onward?.steps[taken]
    const telling = isFirst ? undefined : setTimeout(() => tell(deps, place), TELLING_MS)
    const stop = new Stop()
    const { end, next } = await watching(deps, context, place, stop, async () => {
      const end = await deliver(deps, kind, place, stop, !isFirst)
      const goesOn = onward && following && end.ended === 'completed'
      return { end, next: goesOn && (await enterNext(deps, runId, onward, following.id)) }
    }).finally(() => clearTimeout(telling))
    const told = isFirst ? end : { ...end, at: place.phase }
    if (!next || !following) return told
    const isYoung = performance.now() < until && !context.cancellationSignal.aborted
    if (!isYoung || !isSession(following.kind)) return { ...told, next }
    kind = following.kind
    place = { runId, phase: following.id, attempt: next.attempt }
  }
}

async function deliver(
  deps: Deps,
  kind: SessionKind,
  place: Place,
  stop: Stop,
  onlyNew: boolean,
): Promise<SessionEnd> {
  const delivery = Context.current().info.attempt
  return await deps.observeSession({ ...place, kind, delivery }, async () => {
    const end = await DELIVERIES[kind](deps, place, stop, onlyNew)
    if (end === HANDED_OVER) throw handOver()
    return end
  })
}

/** Enters the step after a completed session, while we are here. What is no session is for the workflow to ask about when it gets to it. */
async function enterNext(
  deps: Deps,
  runId: string,
  { epoch, round }: Onward,
  step: string,
): Promise<Begins | undefined> {
  try {
    const directive = await enter(deps, { runId, epoch, round, step })
    return directive.do === 'session' ? directive : undefined
  } catch (error) {
    deps.log.warn(
      { err: error, runId, phase: step, epoch },
      'the next step was not entered yet; the workflow will do it',
    )
    return undefined
  }
}

type Begins = Extract<Directive, { do: 'session' }>

const isSession = (kind: string): kind is SessionKind => kind in DELIVERIES

/** The workflow looks where its run stands, and shows that in Temporal. */
function tell({ pool, log }: Deps, place: Place): void {
  wakeRun(pool, place.runId).catch((error: unknown) =>
    log.warn({ err: error, ...place }, 'Temporal was not told where the run stands'),
  )
}
