// Law: phases that call functions, and what undoes phases: on record before and after each call (I3).
import type { FunctionActivities, SessionEnd } from '@devflow/contracts'
import { Context } from '@temporalio/activity'
import type { Deps } from '../deps.ts'
import { guarded } from '../guarded.ts'
import { HANDED_OVER, handOver } from '../session/delivery-end.ts'
import { Stop, watching } from '../session/stop.ts'
import { compensateRun } from './compensate-run.ts'
import { deliverFunction } from './run-function-phase.ts'

export function createFunctionActivities(deps: Deps): FunctionActivities {
  const activities: FunctionActivities = {
    async runFunctionPhase(place): Promise<SessionEnd> {
      const stop = new Stop()
      const end = await watching(deps, Context.current(), place, stop, () =>
        deliverFunction(deps, place, stop),
      )
      if (end === HANDED_OVER) throw handOver()
      return end
    },
    async compensateRun(asked): Promise<void> {
      const stop = new Stop()
      const place = { runId: asked.runId, phase: 'compensation', attempt: asked.round }
      const work = () => compensateRun(deps, asked, stop)
      const end = await watching(deps, Context.current(), place, stop, work, { heedsCancel: false })
      if (end === HANDED_OVER) throw handOver()
    },
  }
  return guarded(activities, deps.scrub)
}
