import type { SessionActivities } from '@devflow/contracts'
import { Context } from '@temporalio/activity'
import type { Deps } from './deps.ts'
import { compensateRun } from './function-phases/index.ts'
import { guarded } from './guarded.ts'
import { playInARow } from './play-in-a-row.ts'
import { HANDED_OVER, handOver } from './session/delivery-end.ts'
import { Stop, watching } from './session/stop.ts'

/** Activities of the queue of sessions: long work, one delivery of it, from wherever the log stands. */
export function createSessionActivities(deps: Deps): SessionActivities {
  const activities: SessionActivities = {
    runAgentPhase: (input) => playInARow(deps, 'agent', input),
    runFunctionPhase: (input) => playInARow(deps, 'function', input),
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
