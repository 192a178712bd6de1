import { CHANNELS } from '@devflow/contracts'
import { phasesById, readProgress, sessionHasEpoch } from '@devflow/db'
import type { Context } from '@temporalio/activity'
import type { Deps } from '../deps.ts'
import { ownerId, type Place } from './place.ts'

/**
 * Why a session stops in the middle: a command, its worker's end, another session in its place, its time, or that its attempt
 * is over, as when a gate is rejected at which a part of it waits.
 */
export type StopReason = 'canceled' | 'shutdown' | 'fenced' | 'timeout' | 'over'

/**
 * Everything that can stop a session, as one signal. Pause is not among them: it waits for the turn's end and is
 * answered by the next reservation.
 *
 * A worker that shuts down first asks (`leaving`: end at the next turn), and aborts when the drain time is over.
 */
export class Stop {
  readonly #controller = new AbortController()
  readonly #leave = new AbortController()
  readonly #either = AbortSignal.any([this.#controller.signal, this.#leave.signal])
  #reason: StopReason | undefined
  #lastAck = performance.now()

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get reason(): StopReason | undefined {
    return this.#reason
  }

  get leaving(): boolean {
    return this.#leave.signal.aborted
  }

  /** Stopped or asked to leave: for what waits with nothing under way. */
  get leavingSignal(): AbortSignal {
    return this.#either
  }

  leave(): void {
    this.#leave.abort()
  }

  now(reason: StopReason): void {
    if (this.#reason) return
    this.#reason = reason
    this.#controller.abort(new Error(`session stopped: ${reason}`))
  }

  /** What was sent to the log at this moment (of `performance.now()`) was acknowledged: until then at least the session was its own. */
  acknowledge(sentAt: number): void {
    this.#lastAck = Math.max(this.#lastAck, sentAt)
  }

  /** Until when, of `performance.now()`, the session is its own by what was acknowledged last (I13). */
  ownUntil({ heartbeatTimeoutMs }: Pick<Deps['times'], 'heartbeatTimeoutMs'>): number {
    return this.#lastAck + heartbeatTimeoutMs / 2
  }
}

/**
 * Watches what can stop a session while `work` runs, and beats for it. What undoes a run does not heed its cancel, which may
 * be why it is undone.
 */
export async function watching<T>(
  deps: Deps,
  context: Context,
  place: Place,
  stop: Stop,
  work: () => Promise<T>,
  { heedsCancel = true } = {},
): Promise<T> {
  const { heartbeatIntervalMs, drainMs } = deps.times
  const beat = setInterval(() => context.heartbeat(), heartbeatIntervalMs)
  let drain: NodeJS.Timeout | undefined
  const onTemporal = () => {
    if (context.cancellationDetails?.workerShutdown) {
      stop.leave()
      drain = setTimeout(() => stop.now('shutdown'), drainMs)
    } else if (context.cancellationDetails?.cancelRequested) stop.now('canceled')
    // Timed out, or unknown to Temporal: another delivery has the session, or will.
    else stop.now('shutdown')
  }
  context.cancellationSignal.addEventListener('abort', onTemporal)
  if (context.cancellationSignal.aborted) onTemporal()
  const look = () => {
    if (!heedsCancel) return
    whatEnds(deps, place).then(
      (reason) => {
        if (reason) stop.now(reason)
      },
      (error: unknown) =>
        deps.log.warn(
          { err: error, ...place },
          'could not read what a command asks for; Temporal will bring it',
        ),
    )
  }
  const unsubscribe = deps.listener.subscribe(CHANNELS.control, {
    notified: (runId) => {
      if (runId === place.runId) look()
    },
    lookAgain: look,
  })
  try {
    return await work()
  } finally {
    unsubscribe()
    clearInterval(beat)
    clearTimeout(drain)
    context.cancellationSignal.removeEventListener('abort', onTemporal)
  }
}

/** Why the work at a place has to end, as the run stands. */
async function whatEnds({ pool }: Deps, { runId, phase, attempt }: Place): Promise<StopReason | undefined> {
  const progress = await readProgress(pool, runId)
  if (!progress || progress.control === 'canceled' || progress.control === 'over') return 'canceled'
  const [at] = await phasesById(pool, runId, [phase])
  return at && (at.attempt !== attempt || at.status === 'failed') ? 'over' : undefined
}

/**
 * To be asked before money is spent: until when, of `performance.now()`, the session is surely still its own. Where nothing was
 * acknowledged for half the heartbeat timeout, as when its process was frozen, the log is asked; undefined means that another
 * took it over meanwhile (I13).
 */
export async function ownUntil(
  deps: Deps,
  place: Place,
  epoch: number,
  stop: Stop,
): Promise<number | undefined> {
  // Again where it was frozen while it waited for the answer.
  while (performance.now() > stop.ownUntil(deps.times)) {
    const asked = performance.now()
    if (stop.reason || !(await sessionHasEpoch(deps.pool, place.runId, ownerId(place), epoch)))
      return undefined
    stop.acknowledge(asked)
  }
  return stop.ownUntil(deps.times)
}
