import type { ControlActivities } from '@devflow/contracts'
import { beginExecution, commandRun, decideGate, decisionRefusal, readProgress } from '@devflow/db'
import type { Deps } from '../deps.ts'
import { conclude } from './conclude.ts'
import { enter } from './enter.ts'
import { failStep } from './fail-step.ts'

/** Activities beside the data, run locally by the workflow's one writer coroutine. Each is safe to repeat. */
export function createControlActivities(deps: Deps): ControlActivities {
  return {
    async begin({ runId, execution }) {
      const progress = await readProgress(deps.pool, runId)
      if (!progress || progress.control === 'over') return { over: true }
      const epoch = await beginExecution(deps.pool, runId, execution)
      if (epoch === undefined) return { over: true }
      const { plan } = await deps.definitions.get(progress.definitionHash)
      if (progress.control !== 'canceled') {
        const key = `round/${progress.attempt}/started`
        await deps.writer.append({
          run: runId,
          execution: epoch,
          lines: [{ type: 'run.started', key, data: { epoch } }],
        })
      }
      const { heartbeatTimeoutMs, heartbeatIntervalMs } = deps.times
      return { over: false, epoch, attempt: progress.attempt, plan, heartbeatTimeoutMs, heartbeatIntervalMs }
    },

    enter: (step) => enter(deps, step),

    async look({ runId, epoch }) {
      const progress = await readProgress(deps.pool, runId)
      const stop =
        !progress ||
        progress.executionEpoch !== epoch ||
        progress.control === 'canceled' ||
        progress.control === 'over'
      return stop ? 'stop' : 'go'
    },

    async command({ runId, verb, actor, reason }) {
      await commandRun(deps.pool, {
        run: runId,
        verb,
        actor,
        ...(reason === undefined ? {} : { reason }),
        via: 'temporal',
      })
    },

    async decide({ runId, gate, ...decision }) {
      const holds = ['owner', `principal:${decision.actor}`]
      const answer = await decideGate(deps.pool, { run: runId, gate, ...decision, holds, via: 'temporal' })
      return decisionRefusal(answer, gate)?.record
    },

    failStep: (failure) => failStep(deps, failure),
    conclude: (end) => conclude(deps, end),
  }
}
