import { TEMPORAL } from '@devflow/contracts'
import type { Client } from '@temporalio/client'

const RUN_WORKFLOW = new RegExp(`^${TEMPORAL.workflowId('')}([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)

/** Of each run, the execution that Temporal has open, by the run's id. */
export type OpenWorkflows = ReadonlyMap<string, { execution: string; startedAt: Date }>

/** What Temporal's lists say, which may be a moment late. */
export async function openWorkflows(client: Client): Promise<OpenWorkflows> {
  const open = new Map<string, { execution: string; startedAt: Date }>()
  const query = `WorkflowType = '${TEMPORAL.workflowType}' AND ExecutionStatus = 'Running'`
  for await (const { workflowId, runId: execution, startTime: startedAt } of client.workflow.list({
    query,
  })) {
    const run = RUN_WORKFLOW.exec(workflowId)?.[1]
    if (run !== undefined) open.set(run, { execution, startedAt })
  }
  return open
}
