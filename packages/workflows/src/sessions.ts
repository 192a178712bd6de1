import type { Begun, Onward, PlanStep, SessionActivities, SessionEnd, SessionRef } from '@devflow/contracts'
import {
  ActivityCancellationType,
  CancellationScope,
  CancelledFailure,
  proxyActivities,
} from '@temporalio/workflow'

export type Begin = Extract<Begun, { over: false }>

/** How a session's activity came back: as it said, or with an error. */
export type Settled = { end: SessionEnd } | { error: unknown }

/** A session's activity under way. */
export interface Running {
  settled: Settled | undefined
  stop(): void
}

/** Starts the activity of an agent's or a function's phase; `onward`: what it may go on with in the same go. */
export function startSession(
  runId: string,
  begun: Begin,
  { phase, attempt }: SessionRef,
  { step, onward }: { step: PlanStep | undefined; onward?: Onward },
): Running {
  const persona = step?.persona
  const { runAgentPhase, runFunctionPhase } = proxyActivities<SessionActivities>({
    taskQueue: 'devflow-sessions',
    // Deliveries are bounded by heartbeats; how long a phase may take is the log's to say.
    startToCloseTimeout: '365 days',
    heartbeatTimeout: begun.heartbeatTimeoutMs,
    retry: { initialInterval: '500 milliseconds', maximumInterval: '10 seconds' },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    summary: `${phase}${persona === undefined ? '' : ` by ${persona}`}, attempt ${attempt}`,
  })
  const scope = new CancellationScope()
  let isStopped = false
  const running: Running = {
    settled: undefined,
    stop: () => {
      isStopped = true
      scope.cancel()
    },
  }
  const input = { runId, phase, attempt, ...(onward === undefined ? {} : { onward }) }
  scope
    .run(() => (step?.kind === 'function' ? runFunctionPhase(input) : runAgentPhase(input)))
    .then(
      (end) => {
        running.settled = { end }
      },
      (error: unknown) => {
        // Its worker may have died meanwhile: told to stop, it is not delivered again, and has not failed.
        running.settled = { error: isStopped ? new CancelledFailure('stopped') : error }
      },
    )
  return running
}

/** Starts what undoes a run before it ends; nothing stops it but its own end. */
export function startUndoing(
  runId: string,
  begun: Begin,
  end: { outcome: 'failed' | 'canceled'; phase?: string },
): { readonly settled: { error?: unknown } | undefined } {
  const { compensateRun } = proxyActivities<SessionActivities>({
    taskQueue: 'devflow-sessions',
    startToCloseTimeout: '365 days',
    heartbeatTimeout: begun.heartbeatTimeoutMs,
    retry: { initialInterval: '500 milliseconds', maximumInterval: '10 seconds' },
    summary: 'undo what the run has done',
  })
  const running: { settled: { error?: unknown } | undefined } = { settled: undefined }
  compensateRun({ runId, epoch: begun.epoch, round: begun.attempt, ...end }).then(
    () => {
      running.settled = {}
    },
    (error: unknown) => {
      running.settled = { error }
    },
  )
  return running
}

/** The sessions under way inside a step. The workflow only starts and stops them; where they stand is in the log. */
export class Sessions {
  readonly #running = new Map<string, { ref: SessionRef; running: Running }>()
  readonly #start: (ref: SessionRef) => Running

  constructor(start: (ref: SessionRef) => Running) {
    this.#start = start
  }

  get busy(): string[] {
    return [...this.#running.keys()]
  }

  get haveNews(): boolean {
    return [...this.#running.values()].some(({ running }) => running.settled !== undefined)
  }

  start(ref: SessionRef): void {
    const key = `${ref.phase}/${ref.attempt}`
    if (!this.#running.has(key)) this.#running.set(key, { ref, running: this.#start(ref) })
  }

  stop(key: string): void {
    this.#running.get(key)?.running.stop()
  }

  /** Takes those that have ended off the list. */
  takeEnded(): { ref: SessionRef; settled: Settled }[] {
    return [...this.#running].flatMap(([key, { ref, running }]) => {
      if (running.settled === undefined) return []
      this.#running.delete(key)
      return [{ ref, settled: running.settled }]
    })
  }
}

/** The step of a phase, found by the name its ids begin with. */
export function stepOf(steps: readonly PlanStep[], id: string): PlanStep | undefined {
  const name = id.replace(/[[#].*$/s, '')
  for (const step of steps) {
    const found = step.id === name ? step : stepOf((step.inside ?? []).flat(), name)
    if (found !== undefined) return found
  }
  return undefined
}
