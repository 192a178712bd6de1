import { TEMPORAL } from '@devflow/contracts'
import { describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { functionEntry } from '../support/functions.ts'
import { eventsOf, statusesOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { failing, scriptedPersona } from '../support/templates.ts'

const stack = useStack()
const QUICK = [{ reply: 'Done.' }]
/** A turn that lasts until it is told otherwise. */
const LONG = [{ reply: 'many words '.repeat(100), chunks: 1_000, chunkDelayMs: 20 }]
/** Its second turn lasts about four seconds. */
const LATER = [
  { reply: 'I look.', toolCalls: [{ name: 'list_dir', arguments: { path: '.' } }] },
  { reply: 'many words '.repeat(20), chunks: 200, chunkDelayMs: 20 },
]

/** Phases of one role, each with a script of its own, and a function after the first. */
function sessions(scripts: Record<string, object>, rules: Record<string, string> = {}): string {
  const [first = '', ...others] = Object.keys(scripts)
  const agent = (id: string) =>
    `  - { id: ${id}, agent: { role: worker, prompt: Work. }${rules[id] ? `, ${rules[id]}` : ''} }`
  return `
kind: template
id: row@1
roles: { worker: { persona: player@1 } }
phases:
${agent(first)}
  - { id: add, function: { name: fn@1, input: { n: 1 } } }
${others.map(agent).join('\n')}
${scriptedPersona('player@1', { phases: scripts })}---
${JSON.stringify(functionEntry('export default async ({ n }: { n: number }) => ({ n: n + 1 })'))}
`
}

/** How many activities played a run's sessions, and the delivery that ended each. */
async function activitiesOf(run: string): Promise<number[]> {
  const { events = [] } = await stack.workflow(run).fetchHistory()
  return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
    started ? [started.attempt ?? 0] : [],
  )
}

const callsOf = async (run: string): Promise<string[]> => {
  const { rows } = await stack.pool.query<{ call: string }>(
    "select phase || '/' || attempt || '/' || turn || '/' || call as call from devflow.model_calls where run_id = $1 order by at",
    [run],
  )
  return rows.map(({ call }) => call)
}

test('sessions that follow each other within a moment share an activity, and leave the log that they always leave', async () => {
  const run = await stack.submit(sessions({ one: QUICK, two: QUICK, three: QUICK }))
  const end = await stack.untilStatus(run, 'completed')
  expect(await activitiesOf(run)).toEqual([1])
  const phases = ['one', 'add', 'two', 'three']
  expect(statusesOf(end)).toEqual(Object.fromEntries(phases.map((id) => [id, 'completed'])))
  const course = end.events.filter(({ type }) => type === 'phase.started' || type === 'phase.completed')
  expect(course.map(({ type, phase }) => `${type} ${phase}`)).toEqual(
    phases.flatMap((id) => [`phase.started ${id}`, `phase.completed ${id}`]),
  )
  // Each has an epoch of its own (I13).
  const { rows } = await stack.pool.query(
    'select session, epoch from devflow.sessions where run_id = $1 order by taken_at',
    [run],
  )
  expect(rows).toEqual(phases.map((id) => ({ session: `${id}/1`, epoch: 1 })))
})

describe.concurrent('a session that an activity has gone on with', () => {
  test('is shown in Temporal when it lasts', async () => {
    const run = await stack.submit(sessions({ one: QUICK, two: LONG }))
    const query = `DevflowRun = '${run}' AND DevflowStatus = 'running' AND DevflowPhase = 'two'`
    await eventually(
      async () => {
        for await (const { workflowId } of stack.client.workflow.list({ query })) return workflowId
        return undefined
      },
      (found) => found === TEMPORAL.workflowId(run),
      { patienceMs: 30_000 },
    )
    const { currentDetails } = await stack
      .workflow(run)
      .query<{ currentDetails: string }>('__temporal_workflow_metadata')
    expect(currentDetails).toContain(
      '- `one` (agent): done\n- `add` (function): done\n- `two` (agent): running',
    )
    expect(await stack.workflow(run).query('state')).toMatchObject({ status: 'running', phase: 'two' })
    await stack.command(run, 'cancel')
    const end = await stack.untilStatus(run, 'canceled')
    expect(statusesOf(end)).toEqual({ one: 'completed', add: 'completed', two: 'canceled' })
    expect(await activitiesOf(run)).toEqual([1])
  })

  test('is paused and goes on as the phase that it is', async () => {
    const run = await stack.submit(sessions({ one: QUICK, two: LATER, three: QUICK }))
    await stack.until(run, ({ events }) =>
      events.some(({ type, phase }) => type === 'turn.completed' && phase === 'two'),
    )
    await stack.command(run, 'pause')
    await stack.untilEvent(run, 'run.paused')
    await stack.command(run, 'resume')
    const end = await stack.untilStatus(run, 'completed')
    expect(eventsOf(end, 'phase.started').map(({ phase, attempt }) => `${phase}/${attempt}`)).toEqual([
      'one/1',
      'add/1',
      'two/1',
      'three/1',
    ])
  })

  test('is tried again by its own rules when it fails, and the others are not', async () => {
    const run = await stack.submit(
      sessions(
        { one: QUICK, two: { attempts: [[failing], QUICK] }, three: QUICK },
        { two: 'retry: { maxAttempts: 2, backoff: PT0.05S }' },
      ),
    )
    const end = await stack.untilStatus(run, 'completed')
    expect(await callsOf(run)).toEqual(['one/1/1/1', 'two/1/1/1', 'two/2/1/1', 'three/1/1/1'])
    expect(eventsOf(end, 'function.started')).toHaveLength(1)
    expect(await activitiesOf(run)).toEqual([1, 1])
  })

  test('fails the run as itself where nothing tries it again', async () => {
    const run = await stack.submit(sessions({ one: QUICK, two: [failing], three: QUICK }))
    const end = await stack.untilStatus(run, 'failed')
    expect(end.error).toMatchObject({ code: 'overloaded' })
    expect(statusesOf(end)).toEqual({ one: 'completed', add: 'completed', two: 'failed', three: 'pending' })
  })
})

test('one that follows a session that took long has an activity of its own', async () => {
  await stack.stopWorker()
  await stack.startWorker({ DEVFLOW_IN_A_ROW_MS: '1' })
  const run = await stack.submit(sessions({ one: QUICK, two: QUICK }))
  await stack.untilStatus(run, 'completed')
  expect(await activitiesOf(run)).toEqual([1, 1, 1])
  await stack.stopWorker()
  await stack.startWorker()
})

describe('when its worker', () => {
  test('is killed, another activity takes it over: what came before is neither called nor done again', async () => {
    const run = await stack.submit(sessions({ one: QUICK, two: LATER, three: QUICK }))
    await stack.until(run, ({ events }) =>
      events.some(({ type, phase }) => type === 'turn.completed' && phase === 'two'),
    )
    await stack.worker.kill()
    await stack.startWorker()
    const end = await stack.untilStatus(run, 'completed')
    expect((await activitiesOf(run)).slice(0, 2)).toEqual([2, 1])
    const calls = await callsOf(run)
    expect(calls.filter((call) => !call.startsWith('two/1/2/'))).toEqual([
      'one/1/1/1',
      'two/1/1/1',
      'three/1/1/1',
    ])
    expect(calls.length).toBeLessThanOrEqual(5)
    expect(eventsOf(end, 'function.started')).toHaveLength(1)
    expect(eventsOf(end, 'phase.started')).toHaveLength(4)
  })

  test('shuts down, it is handed over at its next turn', async () => {
    const run = await stack.submit(sessions({ one: QUICK, two: [...LATER, ...QUICK], three: QUICK }))
    await stack.until(run, ({ events }) =>
      events.some(
        ({ type, phase }) => type === 'call.started' || (type === 'turn.completed' && phase === 'two'),
      ),
    )
    await stack.stopWorker()
    await stack.startWorker()
    await stack.untilStatus(run, 'completed')
    expect((await callsOf(run)).filter((call) => !call.startsWith('two/'))).toEqual([
      'one/1/1/1',
      'three/1/1/1',
    ])
  })
})
