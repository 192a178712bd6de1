import { randomUUIDv7 } from 'node:crypto'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TEMPORAL } from '@devflow/contracts'
import { eraseRun, forkRun, readRun, readSubmission, transaction } from '@devflow/db'
import { freePorts } from '@devflow/local-stack'
import { beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { eventOf, eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { gateTemplate, scriptedTemplate } from '../support/templates.ts'

const OPERATIONS = fileURLToPath(new URL('../../docs/operations.md', import.meta.url))
/** Nobody polls it: what is started there stays as it is. */
const NOBODY = 'devflow-nobody'

const stack = useStack()
const quick = scriptedTemplate({ turns: [{ reply: 'Done.' }] })
const rows = async (text: string, ...values: unknown[]): Promise<number> =>
  (await stack.pool.query(text, values)).rows.length

/** A workflow of that run which nobody works on. */
async function stuckWorkflow(run: string): Promise<void> {
  await stack.client.workflow.start(TEMPORAL.workflowType, {
    workflowId: TEMPORAL.workflowId(run),
    taskQueue: NOBODY,
    args: [{ runId: run }],
  })
}

/** How a workflow ended, and why, once it has. */
async function endOf(run: string): Promise<{ status: string; reason: unknown }> {
  const handle = stack.workflow(run)
  const { status } = await eventually(
    () => handle.describe(),
    ({ status }) => status.name !== 'RUNNING',
  )
  const { events } = await handle.fetchHistory()
  return { status: status.name, reason: events?.at(-1)?.workflowExecutionTerminatedEventAttributes?.reason }
}

describe('of Temporal', () => {
  test('a run whose workflow somebody ended is woken, and its log says who ended it and why', async () => {
    const run = await stack.submit(gateTemplate())
    await stack.untilEvent(run, 'run.waiting')
    const { runId: execution } = await stack.workflow(run).describe()
    await stack.workflow(run).terminate('wrong button')
    const woken = await stack.untilEvent(run, 'run.woken')
    expect(eventOf(woken, 'run.woken').data).toMatchObject({
      execution,
      ended: 'terminated',
      reason: 'wrong button',
    })
    expect(String(eventOf(woken, 'run.woken').data.by)).not.toBe('')
    await eventually(
      () => stack.workflow(run).describe(),
      ({ status }) => status.name === 'RUNNING',
    )
    await stack.decide(run, 'ok')
    const end = await stack.untilStatus(run, 'completed')
    expect(eventsOf(end, 'run.woken')).toHaveLength(1)
  })

  test('a run whose start was lost is started', async () => {
    const source = await stack.finish(quick)
    const run = randomUUIDv7()
    const submission = await readSubmission(stack.pool, 'default', source.id)
    if (!submission) throw new Error('the run was not submitted')
    await transaction(stack.pool, async (client) => {
      await forkRun(client, { source: source.id, fromPhase: 'work', run, ...submission })
      await client.query('delete from devflow.outbox where run_id = $1', [run])
    })
    stack.runs.push(run)
    const end = await stack.untilStatus(run, 'completed')
    expect(eventOf(end, 'run.woken').data).toEqual({ ended: 'missing' })
  })

  test('a workflow of a run that there never was, and one of a deleted run, are ended with a reason', async () => {
    const never = randomUUIDv7()
    const { id: deleted } = await stack.finish(quick)
    await stack.untilQuiet(deleted)
    expect(await eraseRun(stack.pool, deleted, 'ann')).toBe('done')
    stack.runs.splice(stack.runs.indexOf(deleted), 1)
    for (const run of [never, deleted]) await stuckWorkflow(run)
    expect(await endOf(never)).toEqual({
      status: 'TERMINATED',
      reason: 'Devflow has no run of this id. Ended by the sweep.',
    })
    expect(await endOf(deleted)).toEqual({
      status: 'TERMINATED',
      reason: 'The run was deleted by ann. Ended by the sweep.',
    })
  })

  test('a workflow that outlives its run is ended, and one that does its work is not', async () => {
    const waiting = await stack.submit(gateTemplate())
    await stack.untilEvent(waiting, 'run.waiting')
    const { id } = await stack.finish(quick)
    await stack.untilQuiet(id)
    await stuckWorkflow(id)
    expect(await endOf(id)).toEqual({ status: 'TERMINATED', reason: 'The run is over. Ended by the sweep.' })
    expect((await stack.workflow(waiting).describe()).status.name).toBe('RUNNING')
    await stack.decide(waiting, 'ok')
    expect((await stack.untilStatus(waiting, 'completed')).types).not.toContain('run.woken')
  })
})

describe('of Postgres', () => {
  let metricsUrl: string
  let finished: string
  const gone = randomUUIDv7()
  const clone = () => join(stack.dataDir, 'workspaces', gone, 'work-1-1')

  // Made while no worker looks, and mended by the next one as it starts.
  beforeAll(async () => {
    const { pool } = stack
    const { id: deleted } = await stack.finish(quick)
    finished = (await stack.finish(quick)).id
    await stack.untilQuiet(deleted)
    await stack.untilQuiet(finished)
    await stack.stopWorker()
    stack.runs.splice(stack.runs.indexOf(finished), 1)
    stack.runs.splice(stack.runs.indexOf(deleted), 1)
    await eraseRun(pool, deleted, 'ann')
    await pool.query('insert into devflow.outbox (run_id) values ($1)', [gone])
    await pool.query(`insert into devflow.blobs (run_id, sha256, content) values ($1, 'x', '')`, [deleted])
    await pool.query(
      `insert into devflow.call_lookups (run_id, phase, attempt, turn, call, looks, due_at) values ($1, 'work', 1, 1, 9, 0, now())`,
      [finished],
    )
    await pool.query('select devflow.record($1, $2::jsonb)', [
      finished,
      JSON.stringify([
        {
          type: 'call.reserved',
          key: 'work/1/9/call-1/reserved',
          ...{ phase: 'work', attempt: 1, turn: 9 },
          data: {
            call: 1,
            persona: 'player@1',
            provider: 'scripted',
            model: 'm',
            reservedMicroUsd: 12.5,
            reservedTokens: 100,
          },
        },
      ]),
    ])
    await pool.query(
      `with pool as (insert into devflow.budget_pools (tenant, scope, persona, day, on_exceeded, allow_unpriced, used_micro_usd, used_tokens)
         values ('other', 'tenant-day', '', '2020-01-01', 'block', false, 0, 0) returning id)
       insert into devflow.budget_slices (pool, process, drawn_micro_usd, drawn_tokens, used_micro_usd, used_tokens, at)
       select id, 'dead', 5, 5, 0, 0, now() - interval '2 hours' from pool`,
    )
    await mkdir(clone(), { recursive: true })
    const [port = 0] = await freePorts(1)
    metricsUrl = `http://127.0.0.1:${port}/metrics`
    await stack.startWorker({ DEVFLOW_METRICS_PORT: String(port) })
  })

  const isNone = (count: number) => count === 0

  test('wakes of runs that are gone are dropped', async () => {
    await eventually(() => rows('select 1 from devflow.outbox where run_id = $1', gone), isNone)
  })

  test('a call that nobody ended is charged its reservation, and holds the budget no more', async () => {
    const run = await eventually(
      () => readRun(stack.pool, 'default', finished),
      (run) => run?.budget.reservedMicroUsd === 0,
    )
    expect(run?.usage).toMatchObject({ costMicroUsd: 12.5, unsettledMicroUsd: 0 })
    expect(eventOf(await stack.standing(finished), 'call.reconciled').data).toEqual({
      call: 1,
      costMicroUsd: 12.5,
      costSource: 'estimate',
    })
  })

  test('questions about calls that there are not, and rows of deleted runs, are dropped', async () => {
    await eventually(() => rows('select 1 from devflow.call_lookups where turn = 1'), isNone)
    await eventually(() => rows(`select 1 from devflow.blobs where sha256 = 'x'`), isNone)
  })

  test('clones of runs that are gone are removed, and slices of dead processes returned', async () => {
    await eventually(
      () => stat(clone()).catch(() => undefined),
      (found) => found === undefined,
    )
    await eventually(() => rows(`select 1 from devflow.budget_slices where process = 'dead'`), isNone)
  })

  test('a gate and a wait that are open when their run ends are closed with it', async () => {
    const run = await stack.submit(gateTemplate())
    await stack.untilEvent(run, 'gate.opened')
    await stack.pool.query('select devflow.record($1, $2::jsonb)', [
      run,
      JSON.stringify([
        {
          type: 'run.failed',
          key: 'round/1/end',
          data: { error: { kind: 'INTERNAL', code: 'x', message: 'x' } },
        },
      ]),
    ])
    expect(await rows(`select 1 from devflow.gates where run_id = $1 and status = 'canceled'`, run)).toBe(1)
    expect(await stack.decide(run, 'ok')).toBe('closed')
  })

  test('every kind is counted by its name, and stands in the manual', async () => {
    const text = await eventually(
      async () => await (await fetch(metricsUrl)).text(),
      (text) => text.includes('{kind="slice_of_idle_process"} 1'),
    )
    const counted = [...text.matchAll(/^devflow_orphans_total\{kind="(\w+)"\} 1$/gm)].map(([, kind]) => kind)
    expect(counted).toEqual(
      expect.arrayContaining([
        'wake_of_gone_run',
        'call_never_ended',
        'lookup_without_call',
        'row_of_deleted_run',
        'clone_without_session',
        'slice_of_idle_process',
      ]),
    )
    const source = await readFile(
      fileURLToPath(new URL('../../apps/worker/src/orphans/sweep.ts', import.meta.url)),
      'utf8',
    )
    const kinds = [...source.matchAll(/kind: '(\w+)'/g)].map(([, kind]) => kind)
    const manual = await readFile(OPERATIONS, 'utf8')
    expect(kinds.filter((kind) => !manual.includes(`| \`${kind}\` |`))).toEqual([])
    expect(kinds).toHaveLength(9)
  })
})
