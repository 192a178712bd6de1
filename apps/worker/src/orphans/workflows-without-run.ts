import { TEMPORAL } from '@devflow/contracts'
import { type RunStanding, standingOf } from '@devflow/db'
import { WorkflowNotFoundError } from '@temporalio/client'
import type { Look } from './look.ts'

/** Ends workflows of runs that Postgres does not know, or not any more: nothing they could do would be kept. */
export async function endWorkflowsWithoutRun(look: Look): Promise<number> {
  return await endWhere(look, (standing) => {
    if (standing === undefined) return 'Devflow has no run of this id.'
    return standing.is === 'deleted' ? `The run was deleted by ${standing.deletedBy}.` : undefined
  })
}

/** Ends workflows that are still open long after their runs were over: they end by themselves, unless something holds them. */
export async function endWorkflowsOfFinishedRuns(look: Look): Promise<number> {
  return await endWhere(look, (standing) =>
    standing?.is === 'over' && standing.overForMs > look.olderThanMs ? 'The run is over.' : undefined,
  )
}

/** Ends those of which `why` gives a reason. A run that is retried in that very moment is woken by the next sweep. */
async function endWhere(
  { pool, client, log, olderThanMs, open }: Look,
  why: (standing: RunStanding | undefined) => string | undefined,
): Promise<number> {
  const running = await open()
  if (running.size === 0) return 0
  const standing = await standingOf(pool, [...running.keys()])
  let ended = 0
  for (const [run, { execution, startedAt }] of running) {
    const reason = why(standing.get(run))
    if (reason === undefined || Date.now() - startedAt.getTime() < olderThanMs) continue
    try {
      await client.workflow
        .getHandle(TEMPORAL.workflowId(run), execution)
        .terminate(`${reason} Ended by the sweep.`)
      ended += 1
      log.warn({ runId: run }, `a workflow is ended: ${reason}`)
    } catch (error) {
      // It has ended meanwhile, by itself or by another worker's sweep.
      if (!(error instanceof WorkflowNotFoundError)) throw error
    }
  }
  return ended
}
