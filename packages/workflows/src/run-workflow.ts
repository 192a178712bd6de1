import type {
  Begun,
  ControlActivities,
  Directive,
  Outcome,
  PlanStep,
  SessionActivities,
} from '@devflow/contracts'
import {
  ActivityCancellationType,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  workflowInfo,
} from '@temporalio/workflow'
import { Face } from './face.ts'
import { Inbox } from './inbox.ts'

const control = proxyLocalActivities<ControlActivities>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '100 milliseconds', maximumInterval: '5 seconds' },
})

/** Far below Temporal's limit, and small enough to replay in no time. */
const LONGEST_HISTORY = 2_000

type Begin = Extract<Begun, { over: false }>

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
        return
      }
      face = new Face(begun.plan)
      const end = await walk(runId, begun, inbox, face)
      if (end === 'again') continue
      if (end === 'leave') {
        // Over, or another execution's. News that came meanwhile may mean that it goes on.
        if (inbox.hasNews) continue
        return
      }
      const concluded = await control.conclude({ runId, epoch: begun.epoch, round: begun.attempt, ...end })
      if (!concluded) continue
      // Before there was `over`, the outcome came alone.
      const { outcome, over } =
        typeof concluded === 'string' ? { outcome: concluded as Outcome, over: false } : concluded
      face.ended(outcome)
      if (over && !inbox.hasNews) return
    }
  })
}

async function walk(
  runId: string,
  begun: Begin,
  inbox: Inbox,
  face: Face,
): Promise<{ outcome: Outcome; phase?: string } | 'leave' | 'again'> {
  // What the last answer of the log said of the step to come; news may have changed it.
  let given = begun.first
  for (const [index, step] of begun.plan.steps.entries()) {
    for (;;) {
      if (inbox.hasNews) given = undefined
      await inbox.serve(runId, control)
      const info = workflowInfo()
      if (info.continueAsNewSuggested || info.historyLength > LONGEST_HISTORY) {
        // An answer that an update's caller waits for must be out before this execution is.
        await condition(allHandlersFinished)
        await continueAsNew<typeof runWorkflow>({ runId })
      }

      const directive =
        given ?? (await control.enter({ runId, epoch: begun.epoch, round: begun.attempt, step: step.id }))
      given = undefined
      face.at(step, directive)
      if (directive.do === 'next') break
      if (directive.do === 'leave' || directive.do === 'again') return directive.do
      if (directive.do === 'end') return directive
      if (directive.do === 'wait') await rest(inbox, directive.afterMs)
      else {
        const following = begun.plan.steps[index + 1]?.id
        const end = await session(runId, begun, { step, attempt: directive.attempt, following }, inbox)
        if (end.completed) {
          given = end.next
          face.done(step)
          break
        }
      }
    }
  }
  return { outcome: 'completed' }
}

/** Until a wake, a command, or the time the log names. */
async function rest(inbox: Inbox, afterMs: number | undefined): Promise<void> {
  if (afterMs === undefined) await condition(() => inbox.hasNews)
  else await condition(() => inbox.hasNews, Math.max(1, Math.ceil(afterMs)))
}

/** How a session ended: completed (no need to ask again) or not, and what comes next where that is known. */
interface Ended {
  completed: boolean
  next?: Directive
}

/** Runs an agent phase's activity to its end, stopping it when the log says so. */
async function session(
  runId: string,
  begun: Begin,
  { step, attempt, following }: { step: PlanStep; attempt: number; following: string | undefined },
  inbox: Inbox,
): Promise<Ended> {
  const then =
    following === undefined
      ? {}
      : { then: { runId, epoch: begun.epoch, round: begun.attempt, step: following } }
  const { runAgentPhase } = proxyActivities<SessionActivities>({
    taskQueue: 'devflow-sessions',
    // Deliveries are bounded by heartbeats; how long a phase may take is the log's to say.
    startToCloseTimeout: '365 days',
    heartbeatTimeout: begun.heartbeatTimeoutMs,
    retry: { initialInterval: '500 milliseconds', maximumInterval: '10 seconds' },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    summary: `${step.id}${step.persona === undefined ? '' : ` by ${step.persona}`}, attempt ${attempt}`,
  })
  const scope = new CancellationScope()
  let settled: Ended | { error: unknown } | undefined
  scope
    .run(() => runAgentPhase({ runId, phase: step.id, attempt, ...then }))
    .then(
      (end) => {
        const next = end.ended === 'completed' ? end.next : undefined
        settled = { completed: end.ended === 'completed', ...(next ? { next } : {}) }
      },
      (error: unknown) => {
        settled = { error }
      },
    )
  for (;;) {
    await condition(() => settled !== undefined || inbox.hasNews)
    if (settled !== undefined) break
    await inbox.serve(runId, control)
    if ((await control.look({ runId, epoch: begun.epoch })) === 'stop') scope.cancel()
  }
  if ('completed' in settled) return settled
  if (!isCancellation(settled.error)) {
    const message = settled.error instanceof Error ? settled.error.message : String(settled.error)
    await control.failStep({
      runId,
      epoch: begun.epoch,
      round: begun.attempt,
      step: step.id,
      attempt,
      message,
    })
  }
  return { completed: false }
}
