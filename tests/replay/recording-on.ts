// What the recordings share: a run is played, and the history of its last execution kept.
import { TEMPORAL } from '@devflow/contracts'
import { test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Stack } from '../support/stack.ts'
import { gateTemplate } from '../support/templates.ts'
import { keepHistory } from './kept-histories.ts'

export const OVER = ['completed', 'failed', 'canceled'] as const

export function recordingOn(stack: Stack) {
  /** Makes a run, brings it to its end, and keeps the history of its last execution. */
  function kept(name: string, play: () => Promise<string>): void {
    test(name, async () => {
      const run = await play()
      await stack.untilStatus(run, ...OVER)
      await stack.untilQuiet(run)
      const workflowId = TEMPORAL.workflowId(run)
      // The list of executions lags behind them.
      await eventually(
        async () =>
          (await Array.fromAsync(stack.client.workflow.list({ query: `WorkflowId = '${workflowId}'` }))).map(
            ({ status }) => status.name,
          ),
        (statuses) => statuses.length > 0 && !statuses.includes('RUNNING'),
      )
      await keepHistory(name, stack.client, workflowId)
    })
  }

  async function opened(rules = '', then = ''): Promise<string> {
    const run = await stack.submit(gateTemplate(rules) + then)
    await stack.untilEvent(run, 'run.waiting')
    // Answered once the task that opened the gate is over: what comes next is a task of its own.
    await stack.workflow(run).query(TEMPORAL.queries.state)
    return run
  }

  const update = (run: string, actor: string, decision = 'approve') =>
    stack
      .workflow(run)
      .executeUpdate(TEMPORAL.updates.decideGate, { args: [{ gate: 'ok', decision, actor }] })

  return { kept, opened, update }
}
