import type { ControlActivities, Directive, Looked, Onward, Outcome, PlanStep } from '@devflow/contracts'
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  proxyLocalActivities,
  workflowInfo,
} from '@temporalio/workflow'
import { Face, showOver } from './face.ts'
import { Inbox } from './inbox.ts'
import { type Begin, Sessions, type Settled, startSession, startUndoing, stepOf } from './sessions.ts'

const control = proxyLocalActivities<ControlActivities>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '100 milliseconds', maximumInterval: '5 seconds' },
})

/** Far below Temporal's limit, and small enough to replay in no time. */
const LONGEST_HISTORY = 2_000
/** Steps that a session's activity hears of (I4). */
const MOST_IN_A_ROW = 20

/**
 * One run. It holds no state that counts: it begins by reading the log, asks the log at every step what to do (I14),
 * and after the terminal event looks once more, so that a retry or wake that came meanwhile is not lost.
 */
export async function runWorkflow({ runId }: { runId: string }): Promise<void> {
  let face: Face | undefined
  const inbox = new Inbox(() => face?.state ?? { status: 'starting' })
  // A cancel from the Temporal UI becomes a command like any other: the log hears of it first.
  CancellationScope.current().cancelRequested.catch(() => inbox.cancel())

  await CancellationScope.nonCancellable(async () => {
    for (;;) {
      await inbox.serve(runId, control)
      const begun = await control.begin({ runId, execution: workflowInfo().runId })
      if (begun.over) {
        if (inbox.hasNews) continue
        showOver(begun.status)
        return
      }
      face = new Face(runId, begun)
      const end = await new Walk(runId, begun, inbox, face).toTheEnd()
      if (end === 'again') continue
      if (end === 'leave') {
        // Over, or another execution's. News that came meanwhile may mean that it goes on.
        if (inbox.hasNews) continue
        return
      }
      const concluded = await conclude(runId, begun, { inbox, face }, end)
      if (!concluded) continue
      // Before there was `over`, the outcome came alone.
      const { outcome, over, shown } =
        typeof concluded === 'string'
          ? { outcome: concluded as Outcome, over: false, shown: undefined }
          : concluded
      face.ended(outcome, shown)
      if (over && !inbox.hasNews) return
    }
  })
}

/** Ends the round; before that, what the run has done is undone where it is to be, which is the log's to say. */
async function conclude(
  runId: string,
  begun: Begin,
  { inbox, face }: { inbox: Inbox; face: Face },
  end: Ended,
) {
  for (;;) {
    const round = { runId, epoch: begun.epoch, round: begun.attempt }
    const concluded = await control.conclude({ ...round, ...end })
    if (!concluded?.compensate) return concluded
    const phase = end.phase === undefined ? {} : { phase: end.phase }
    face.undoing(concluded.outcome, end.phase, concluded.shown)
    const undoing = startUndoing(runId, begun, { outcome: concluded.outcome, ...phase })
    for (;;) {
      await condition(() => undoing.settled !== undefined || inbox.hasNews)
      if (undoing.settled !== undefined) break
      await inbox.serve(runId, control)
    }
    // It gives up a phase by itself; what it cannot even put on record is for a person to see.
    if (undoing.settled.error !== undefined) throw undoing.settled.error
  }
}

type Ended = { outcome: Outcome; phase?: string }
type End = Ended | 'leave' | 'again'

/**
 * A round of a run, step by step. Only this, the workflow's one main line, runs local activities; sessions run beside it,
 * and what they come to is asked of the log.
 */
class Walk {
  readonly #runId: string
  readonly #begun: Begin
  readonly #inbox: Inbox
  readonly #face: Face
  readonly #sessions: Sessions
  /** What the last answer of the log said of the step to come; news may have changed it. */
  #given: Directive | undefined

  constructor(runId: string, begun: Begin, inbox: Inbox, face: Face) {
    this.#runId = runId
    this.#begun = begun
    this.#inbox = inbox
    this.#face = face
    this.#given = begun.first
    const { steps } = begun.plan
    this.#sessions = new Sessions((ref) =>
      startSession(runId, begun, ref, { step: stepOf(steps, ref.phase) }),
    )
  }

  async toTheEnd(): Promise<End> {
    const { steps } = this.#begun.plan
    for (let at = 0; ; ) {
      const step = steps[at]
      if (!step) return { outcome: 'completed' }
      const end = await this.#step(step, at)
      if (typeof end !== 'number') return end
      at = end
    }
  }

  /** Until the step is over; resolves to where the walk goes on, or to how it ends, if it ends here. */
  async #step(step: PlanStep, at: number): Promise<End | number> {
    const inbox = this.#inbox
    for (;;) {
      if (inbox.hasNews) this.#given = undefined
      await inbox.serve(this.#runId, control)
      const ended = this.#sessions.takeEnded()
      for (const { ref, settled } of ended) await this.#failCrashed(ref.phase, ref.attempt, settled)
      const { busy } = this.#sessions
      const isLong = historyIsLong()
      if (isLong && busy.length === 0) {
        // An answer that an update's caller waits for must be out before this execution is.
        await condition(allHandlersFinished)
        await continueAsNew<typeof runWorkflow>({ runId: this.#runId })
      }

      const directive =
        this.#given ??
        (await control.enter.executeWithOptions({ summary: step.id }, [
          { ...this.#at(step.id), ...(busy.length > 0 ? { busy } : {}) },
        ]))
      this.#given = undefined
      this.#face.at(step, directive, busy)
      switch (directive.do) {
        case 'next':
          await this.#untilQuiet()
          return at + 1
        case 'back':
          await this.#untilQuiet()
          return this.#indexOf(directive.to)
        case 'leave':
        case 'again':
          await this.#stopAll()
          return directive.do
        case 'end':
          await this.#stopAll()
          return directive
        case 'wait':
          await rest(() => inbox.hasNews, directive.afterMs, step.id)
          break
        case 'work':
          for (const key of directive.stop) this.#sessions.stop(key)
          // A history that has grown long takes in no more: those under way end, and the next execution goes on.
          if (!isLong) for (const ref of directive.sessions) this.#sessions.start(ref)
          if (!directive.more)
            await rest(() => inbox.hasNews || this.#sessions.haveNews, directive.afterMs, step.id)
          break
        case 'session': {
          const next = await this.#session(step, at, directive.attempt)
          if (next !== at) return next
        }
      }
    }
  }

  /**
   * Runs the activity of a step's session to its end, stopping it when the log says so. Resolves to where the run stands then:
   * behind the step, or still at it, or further on where the activity has gone on with what follows.
   */
  async #session(step: PlanStep, at: number, attempt: number): Promise<number> {
    const inbox = this.#inbox
    const { steps } = this.#begun.plan
    const ref = { phase: step.id, attempt }
    const running = startSession(this.#runId, this.#begun, ref, { step, ...this.#onward(at) })
    for (;;) {
      await condition(() => running.settled !== undefined || inbox.hasNews)
      if (running.settled !== undefined) break
      await inbox.serve(this.#runId, control)
      const looked = await control.look({ runId: this.#runId, epoch: this.#begun.epoch, step: step.id })
      if (looked === 'stop') running.stop()
      else if (looked !== 'go') this.#hasCome(at, looked)
    }
    const { settled } = running
    await this.#failCrashed(step.id, attempt, settled)
    if (!('end' in settled)) return at
    const { end } = settled
    const last = end.at === undefined ? at : this.#indexOf(end.at)
    const next = end.ended === 'completed' ? last + 1 : last
    for (const done of steps.slice(at, next)) this.#face.done(done)
    if (end.ended === 'completed') this.#given = end.next
    return next
  }

  /** What a session's activity may go on with: what follows it, as far as it knows how to play it, and what comes then. */
  #onward(at: number): { onward?: Onward } {
    const following = this.#begun.plan.steps.slice(at + 1, at + 1 + MOST_IN_A_ROW)
    if (following.length === 0) return {}
    const other = following.findIndex(({ kind }) => kind !== 'agent' && kind !== 'function')
    const steps = (other < 0 ? following : following.slice(0, other + 1)).map(({ id, kind }) => ({
      id,
      kind,
    }))
    return { onward: { epoch: this.#begun.epoch, round: this.#begun.attempt, steps } }
  }

  /** Shows that a session's activity plays the session of a later step by now. */
  #hasCome(from: number, { step: id, attempt, shown }: Looked): void {
    const { steps } = this.#begun.plan
    const at = this.#indexOf(id)
    const step = steps[at]
    if (!step) return
    for (const done of steps.slice(from, at)) this.#face.done(done)
    this.#face.at(step, { do: 'session', attempt, shown })
  }

  #indexOf(step: string): number {
    return Math.max(
      0,
      this.#begun.plan.steps.findIndex(({ id }) => id === step),
    )
  }

  /** A session that failed in a way nobody expected is a failed phase, for a person to see. */
  async #failCrashed(phase: string, attempt: number, settled: Settled): Promise<void> {
    if ('end' in settled || isCancellation(settled.error)) return
    const message = settled.error instanceof Error ? settled.error.message : String(settled.error)
    await control.failStep({ ...this.#at(phase), attempt, message })
  }

  async #stopAll(): Promise<void> {
    for (const key of this.#sessions.busy) this.#sessions.stop(key)
    await this.#untilQuiet()
  }

  /** Until every session under way has come back: what it wrote is in the log by then. */
  async #untilQuiet(): Promise<void> {
    while (this.#sessions.busy.length > 0) {
      await condition(() => this.#sessions.haveNews)
      this.#sessions.takeEnded()
    }
  }

  #at(step: string) {
    return { runId: this.#runId, epoch: this.#begun.epoch, round: this.#begun.attempt, step }
  }
}

function historyIsLong(): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo()
  return continueAsNewSuggested || historyLength > LONGEST_HISTORY
}

/** Until news, or the time the log names: when something of the step is due, be it a deadline, a reminder or a new try. */
async function rest(hasNews: () => boolean, afterMs: number | undefined, step: string): Promise<void> {
  if (afterMs === undefined) await condition(hasNews)
  else await condition(hasNews, Math.max(1, Math.ceil(afterMs)), { summary: `until ${step} is due` })
}
