import { sweepWorkspaces } from '@devflow/activities'
import {
  deleteLookupsWithoutCall,
  deleteRowsOfDeletedRuns,
  deleteWakesOfGoneRuns,
  foldSlices,
  settleForgottenCalls,
} from '@devflow/db'
import type { Look, SweepDeps } from './look.ts'
import { type OpenWorkflows, openWorkflows } from './open-workflows.ts'
import { wakeRunsWithoutWorkflow } from './runs-without-workflow.ts'
import { endWorkflowsOfFinishedRuns, endWorkflowsWithoutRun } from './workflows-without-run.ts'

const SLICE_IDLE_MS = 3_600_000

interface Orphan {
  /** As `devflow_orphans_total` and `docs/operations.md` name it. */
  kind: string
  /** Mends what it finds, and answers how many there were. Safe to do by many at once, and again. */
  mend(look: Look): Promise<number>
  /** Costs more than a look: an hour apart. */
  isRare?: true
}

/** All that may be left behind by whoever died, and whoever meddled. What else could be is closed by the projector itself. */
export const ORPHANS: readonly Orphan[] = [
  { kind: 'run_without_workflow', mend: wakeRunsWithoutWorkflow },
  { kind: 'workflow_without_run', mend: endWorkflowsWithoutRun },
  { kind: 'workflow_of_finished_run', mend: endWorkflowsOfFinishedRuns },
  { kind: 'wake_of_gone_run', mend: ({ pool }) => deleteWakesOfGoneRuns(pool) },
  { kind: 'call_never_ended', mend: ({ pool }) => settleForgottenCalls(pool), isRare: true },
  { kind: 'lookup_without_call', mend: ({ pool }) => deleteLookupsWithoutCall(pool), isRare: true },
  { kind: 'row_of_deleted_run', mend: ({ pool }) => deleteRowsOfDeletedRuns(pool), isRare: true },
  { kind: 'clone_without_session', mend: sweepWorkspaces, isRare: true },
  {
    kind: 'slice_of_idle_process',
    mend: ({ pool }) => foldSlices(pool, '', new Date(Date.now() - SLICE_IDLE_MS)),
    isRare: true,
  },
]

/**
 * Looks for orphans and mends them, one kind after the other: what goes wrong with one keeps no other from being mended.
 * `rare`: those kinds too.
 */
export async function sweepOrphans(
  deps: SweepDeps,
  { rare, onMended }: { rare: boolean; onMended: (kind: string, count: number) => void },
): Promise<void> {
  let found: Promise<OpenWorkflows> | undefined
  const open = () => {
    found ??= openWorkflows(deps.client)
    return found
  }
  for (const { kind, mend, isRare = false } of ORPHANS) {
    if (isRare !== rare) continue
    try {
      const count = await mend({ ...deps, open })
      if (count === 0) continue
      onMended(kind, count)
      deps.log.warn({ count, code: kind }, 'orphans are mended')
    } catch (error) {
      deps.log.warn({ err: error, code: kind }, 'could not look for orphans')
    }
  }
}
