import { type Begun, type ControlActivities, storable } from '@devflow/contracts'
import {
  beginExecution,
  commandRun,
  decideGate,
  decisionRefusal,
  noteRefusal,
  type Progress,
  readProgress,
} from '@devflow/db'
import type { Deps } from '../deps.ts'
import { guarded } from '../guarded.ts'
import { isFenced } from '../session/session.ts'
import { conclude } from './conclude.ts'
import { enter } from './enter.ts'
import { failStep } from './fail-step.ts'
import { outcomeOf, shownOf } from './shown.ts'

/** Activities beside the data, run locally by the workflow's one writer coroutine. Each is safe to repeat. */
export function createControlActivities(deps: Deps): ControlActivities {
  // What comes through Temporal was checked by nobody: what Postgres refuses would hold the run up for ever.
  const asStored = <T>(input: T): T => storable(deps.scrub(input))
  const activities: ControlActivities = {
    async begin({ runId, execution }) {
      const begun = await beginExecution(deps.pool, runId, execution)
      if (!begun) return { over: true }
      const { epoch, progress } = begun
      if (progress.control === 'over') return overAs(progress)
      const { plan } = await deps.definitions.get(progress.definitionHash)
      if (progress.control !== 'canceled') {
        const key = `round/${progress.attempt}/started`
        const answer = await deps.writer.append({
          run: runId,
          execution: epoch,
          lines: [{ type: 'run.started', key, data: { epoch } }],
        })
        // A cancel of the queued run came in between.
        if (isFenced(answer)) return overAs(await readProgress(deps.pool, runId))
      }
      const { heartbeatTimeoutMs, heartbeatIntervalMs } = deps.times
      const [step] = plan.steps
      const first = step && (await enter(deps, { runId, epoch, round: progress.attempt, step: step.id }))
      return {
        over: false,
        epoch,
        attempt: progress.attempt,
        plan,
        heartbeatTimeoutMs,
        heartbeatIntervalMs,
        ...(deps.consoleUrl === undefined ? {} : { console: deps.consoleUrl }),
        ...(progress.parent === undefined ? {} : { parent: progress.parent }),
        ...(first ? { first } : {}),
      }
    },

    enter: (step) => enter(deps, step),

    async look({ runId, epoch, step }) {
      const progress = await readProgress(deps.pool, runId)
      const stop =
        !progress ||
        progress.executionEpoch !== epoch ||
        progress.control === 'canceled' ||
        progress.control === 'over'
      if (stop) return 'stop'
      // Its session may have been followed by others in the same go. Asked by an older build, it does not say where it is.
      const asked = progress.phases.findIndex(({ id }) => id === step)
      const at = progress.phases.slice(asked + 1).findLast(({ status }) => status === 'running')
      return asked < 0 || !at ? 'go' : { step: at.id, attempt: at.attempt, shown: shownOf(progress, at) }
    },

    async command(input) {
      const { runId, verb, actor, reason } = asStored(input)
      await commandRun(deps.pool, {
        run: runId,
        verb,
        actor,
        ...(reason === undefined ? {} : { reason }),
        via: 'temporal',
      })
    },

    async decide(input) {
      const { runId, gate, ...decision } = asStored(input)
      const holds = ['owner', `principal:${decision.actor}`]
      const made = { run: runId, gate, ...decision, via: 'temporal' }
      const answer = await decideGate(deps.pool, { ...made, holds })
      await noteRefusal(deps.pool, { ...made, answer })
      return decisionRefusal(answer, gate)?.record
    },

    failStep: (failure) => failStep(deps, failure),
    conclude: (end) => conclude(deps, end),
  }
  return guarded(activities, deps.scrub)
}

function overAs(progress: Progress | undefined): Begun {
  const status = progress && outcomeOf(progress)
  return { over: true, ...(status ? { status } : {}) }
}
