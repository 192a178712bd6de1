import { TEMPORAL } from '@devflow/contracts'
import { type EndedExecution, queueWakes, unfinishedRuns, wakeLostRun } from '@devflow/db'
import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import type { Look } from './look.ts'

/** So many are asked after one by one; where more are lost, it is Temporal that lost them. */
const MOST_ASKED_AFTER = 200
const LONGEST_REASON = 2_000

/**
 * Wakes runs that are not over and have no workflow: somebody ended it, it failed, or its start was lost. How it ended stands
 * in their logs then; they go on by these (I14).
 */
export async function wakeRunsWithoutWorkflow({
  pool,
  client,
  log,
  olderThanMs,
  open,
}: Look): Promise<number> {
  const running = await open()
  const lost = (await unfinishedRuns(pool, olderThanMs)).filter((run) => !running.has(run))
  let woken = 0
  for (const run of lost.slice(0, MOST_ASKED_AFTER)) {
    const end = await endOf(client, run)
    // Lists are a moment late: it has begun meanwhile.
    if (!end || !(await wakeLostRun(pool, run, end))) continue
    woken += 1
    log.warn({ runId: run, code: end.ended }, 'a run without a workflow is woken')
  }
  const others = lost.slice(MOST_ASKED_AFTER)
  if (others.length > 0) await queueWakes(pool, others)
  return woken + others.length
}

/** How the last execution of a run ended; undefined when it has not. */
async function endOf(client: Client, run: string): Promise<EndedExecution | undefined> {
  const workflowId = TEMPORAL.workflowId(run)
  try {
    const { status, runId: execution } = await client.workflow.getHandle(workflowId).describe()
    if (status.name === 'RUNNING') return undefined
    return { execution, ended: status.name.toLowerCase(), ...(await whoEnded(client, workflowId, execution)) }
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { execution: undefined, ended: 'missing' }
    throw error
  }
}

/** Who ended an execution, and why, where its last event says so. */
async function whoEnded(
  client: Client,
  workflowId: string,
  execution: string,
): Promise<Pick<EndedExecution, 'by' | 'reason'>> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId, runId: execution },
    maximumPageSize: 1,
  })
  const last = history?.events?.[0]
  const terminated = last?.workflowExecutionTerminatedEventAttributes
  const by = terminated?.identity
  const reason = terminated?.reason || last?.workflowExecutionFailedEventAttributes?.failure?.message
  return { ...(by ? { by } : {}), ...(reason ? { reason: reason.slice(0, LONGEST_REASON) } : {}) }
}
