import { describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { useStack } from '../support/stack.ts'
import { gateTemplate, scriptedTemplate } from '../support/templates.ts'

const stack = useStack()
const quick = scriptedTemplate({ turns: [{ reply: 'Done.' }] })

/** Executions a run has had in Temporal. */
async function executions(run: string): Promise<string[]> {
  const statuses: string[] = []
  for await (const { status } of stack.client.workflow.list({ query: `WorkflowId = 'run-${run}'` }))
    statuses.push(status.name)
  return statuses
}

describe.concurrent('a wake', () => {
  test('delivered after the end, once or twice, changes neither the log nor the status', async () => {
    const end = await stack.finish(quick)
    for (let times = 0; times < 2; times += 1) {
      await stack.wake(end.id)
      expect(await stack.untilQuiet(end.id)).toEqual(end)
    }
    await eventually(
      () => executions(end.id),
      (statuses) => statuses.every((status) => status === 'COMPLETED'),
    )
  })

  test('that comes again and again at a gate opens it once, and does not close it', async () => {
    const run = await stack.submit(gateTemplate())
    const before = await stack.untilEvent(run, 'run.waiting')
    for (let times = 0; times < 20; times += 1) await stack.wake(run)
    await eventually(
      () => openWakes(run),
      (wakes) => wakes === 0,
    )
    expect(await stack.workflow(run).query('state')).toMatchObject({ status: 'waiting' })
    expect((await stack.standing(run)).types).toEqual(before.types)
    await stack.decide(run, 'ok')
    await stack.untilStatus(run, 'completed')
  })
})

describe.concurrent('a workflow', () => {
  test('that somebody terminated in Temporal is brought back, and goes on where the log stands', async () => {
    const run = await stack.submit(gateTemplate())
    const before = await stack.untilEvent(run, 'run.waiting')
    await stack.workflow(run).terminate('an operator')
    await stack.wake(run)
    await eventually(
      () => executions(run),
      (statuses) => statuses.includes('RUNNING'),
    )
    expect((await stack.standing(run)).types).toEqual(before.types)
    await stack.decide(run, 'ok')
    await stack.untilStatus(run, 'completed')
  })

  test('that nobody wakes after its termination is found by the sweep', async () => {
    const run = await stack.submit(`${gateTemplate('deadline: PT1S, onDeadline: { then: approve }')}`)
    await stack.untilEvent(run, 'run.waiting')
    await stack.workflow(run).terminate('an operator')
    // Nobody pokes: only the sweep can bring the deadline to pass.
    const end = await stack.untilStatus(run, 'completed')
    expect(end.phases.ok?.output).toMatchObject({ status: 'approved' })
  })

  test('that was reset to before a decided gate finds it decided', async () => {
    const run = await stack.submit(`${gateTemplate()}  - { id: go, wait: { signal: go } }\n`)
    await stack.untilEvent(run, 'gate.opened')
    await stack.decide(run, 'ok')
    const waiting = await stack.until(run, ({ phases }) => phases.go?.status === 'waiting')
    const { client } = stack
    const { runId } = await stack.workflow(run).describe()
    await client.workflowService.resetWorkflowExecution({
      namespace: client.options.namespace,
      workflowExecution: { workflowId: `run-${run}`, runId },
      workflowTaskFinishEventId: 4 as never,
      requestId: run,
      reason: 'test',
    })
    await stack.signal(run, 'go', 's1', 'now')
    const end = await stack.untilStatus(run, 'completed')
    expect(end.types.slice(0, waiting.types.length)).toEqual(waiting.types)
    expect(end.types.filter((type) => type === 'gate.opened')).toHaveLength(1)
  })

  test('begins anew when its history grows long, and the run does not notice', async () => {
    const run = await stack.submit(gateTemplate('quorum: 2'))
    const before = await stack.untilEvent(run, 'run.waiting')
    const handle = stack.workflow(run)
    const { runId: first } = await handle.describe()
    // Each burst is worked off before the next: a storm without a pause would hold a new beginning up.
    while ((await handle.describe()).runId === first) {
      await Promise.all(Array.from({ length: 500 }, () => handle.signal('wake')))
      await handle.query('state')
    }
    expect((await stack.standing(run)).types).toEqual(before.types)
    // Temporal drops the summary of an execution that begins anew; the details still have the title.
    const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata')
    expect(currentDetails).toContain('**One gate** is **waiting** at `ok`')
    await stack.decide(run, 'ok', { actor: 'ann' })
    await stack.decide(run, 'ok', { actor: 'bob' })
    await stack.untilStatus(run, 'completed')
    expect(await executions(run)).toContain('CONTINUED_AS_NEW')
  })
})

test('a hundred runs submitted at once all run', async () => {
  const runs = await Promise.all(Array.from({ length: 100 }, () => stack.submit(quick)))
  // One after the other: looking at all of them at each step of any would be most of the work.
  for (const run of runs)
    expect((await stack.untilStatus(run, 'completed', 'failed')).status).toBe('completed')
})

async function openWakes(run: string): Promise<number> {
  const { rows } = await stack.pool.query<{ n: number }>(
    'select count(*)::int as n from devflow.outbox where run_id = $1',
    [run],
  )
  return rows[0]?.n ?? 0
}
