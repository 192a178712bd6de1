import { describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { eventsOf, statusesOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { failing, flowTemplate, gateTemplate, looking, scriptedTemplate } from '../support/templates.ts'

const stack = useStack()

/** Ids of the executions a run has had in Temporal, the latest first. */
async function executions(run: string): Promise<string[]> {
  const ids: string[] = []
  for await (const { runId } of stack.client.workflow.list({ query: `WorkflowId = 'run-${run}'` }))
    ids.push(runId)
  return ids
}

/** Resets an execution, as the Temporal UI does: to its first workflow task, or to the last one that is over. */
async function reset(run: string, to: 'first' | 'last', execution?: string): Promise<void> {
  const { client } = stack
  const runId = execution ?? (await stack.workflow(run).describe()).runId
  const tasks = await eventually(
    async () => {
      const { events } = await client.workflow.getHandle(`run-${run}`, runId).fetchHistory()
      return (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes)
    },
    ({ length }) => length > 0,
  )
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId: `run-${run}`, runId },
    workflowTaskFinishEventId: tasks.at(to === 'first' ? 0 : -1)?.eventId,
    requestId: crypto.randomUUID(),
    reason: 'test',
  })
}

const turns = [{ ...looking, reply: 'words '.repeat(20), chunks: 40, chunkDelayMs: 20 }, { reply: 'Done.' }]
const NESTED = flowTemplate(
  `
  - id: both
    parallel:
      branches:
        - [{ id: ask, gate: { title: Go on? } }, { id: after, agent: { role: b, prompt: x } }]
        - [{ id: each, map: { over: [0, 1, 2], concurrency: 2, phases: [{ id: work, agent: { role: a, prompt: x } }] } }]
`,
  { a: { turns }, b: { turns } },
)

describe.concurrent('a reset in Temporal', () => {
  for (const to of ['first', 'last'] as const)
    test(`to the ${to} task of a run with gates and sessions side by side repeats nothing that is on record`, async () => {
      const run = await stack.submit(NESTED)
      await stack.untilEvent(run, 'turn.completed')
      await reset(run, to)
      await stack.untilEvent(run, 'turn.completed', 3)
      await stack.decide(run, 'ask')
      await stack.until(run, ({ phases }) => phases.after?.status === 'running')
      await reset(run, to)
      const end = await stack.untilStatus(run, 'completed', 'failed')
      expect(end.error).toBe(null)
      expect(new Set(Object.values(statusesOf(end)))).toEqual(new Set(['completed']))
      expect(eventsOf(end, 'gate.opened')).toHaveLength(1)
      expect(eventsOf(end, 'phase.expanded').length).toBeLessThanOrEqual(4)
      // Two turns of each of three items and of `after`: each on record once, whatever was asked for again.
      expect(eventsOf(end, 'turn.completed')).toHaveLength(8)
    })

  for (const to of ['first', 'last'] as const)
    test(`to the ${to} task of a run that is over leaves it as it is, also in lists`, async () => {
      const run = await stack.submit(scriptedTemplate({ turns: [failing] }))
      await stack.untilStatus(run, 'failed')
      const before = await stack.untilQuiet(run)
      await reset(run, to)
      expect(await stack.untilQuiet(run)).toEqual(before)
      const [latest, ...others] = await executions(run)
      expect(others).toHaveLength(1)
      await eventually(
        async () => (await stack.client.workflow.getHandle(`run-${run}`, latest).describe()).searchAttributes,
        ({ DevflowStatus }) => DevflowStatus?.[0] === 'failed',
      )
    })

  test('of an earlier round ends the round under way in Temporal alone: it goes on by its log', async () => {
    const run = await stack.submit(
      scriptedTemplate(
        { phases: { work: { attempts: [[failing], [{ reply: 'Done.' }]] } } },
        { then: '  - { id: ok, gate: { title: Go on? } }' },
      ),
    )
    await stack.untilStatus(run, 'failed')
    await stack.untilQuiet(run)
    const [first] = await executions(run)
    await stack.command(run, 'retry')
    const waiting = await stack.untilStatus(run, 'waiting')
    await reset(run, 'last', first)
    await stack.untilEvent(run, 'run.woken')
    expect((await stack.standing(run)).types.slice(0, waiting.types.length)).toEqual(waiting.types)
    await stack.decide(run, 'ok')
    const end = await stack.untilStatus(run, 'completed')
    expect(eventsOf(end, 'gate.opened')).toHaveLength(1)
  })

  test('while it is paused leaves it paused', async () => {
    const run = await stack.submit(gateTemplate())
    await stack.untilEvent(run, 'gate.opened')
    await stack.command(run, 'pause')
    await stack.untilEvent(run, 'run.paused')
    await reset(run, 'first')
    await eventually(
      () => stack.workflow(run).query<{ status: string }>('state'),
      ({ status }) => status === 'paused',
    )
    await stack.command(run, 'resume')
    await stack.decide(run, 'ok')
    const end = await stack.untilStatus(run, 'completed')
    expect(eventsOf(end, 'gate.opened')).toHaveLength(1)
  })
})
