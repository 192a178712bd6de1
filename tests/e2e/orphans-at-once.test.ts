import { type ChildProcess, fork } from 'node:child_process'
import { randomUUIDv7 } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TEMPORAL } from '@devflow/contracts'
import { eraseRun, forkRun, readSubmission, transaction } from '@devflow/db'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { ownEnv } from '../support/own-env.ts'
import { eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { gateTemplate, scriptedTemplate } from '../support/templates.ts'

const SWEEPER = fileURLToPath(
  new URL('../../apps/worker/src/orphans/sweeping-process.fixture.ts', import.meta.url),
)
/** Nobody polls it: what is started there stays as it is. */
const NOBODY = 'devflow-nobody'
const GATES = 4

// It sweeps by itself only when these tests are over.
const stack = useStack({ DEVFLOW_SWEEP_MS: '600000' })
const quick = scriptedTemplate({ turns: [{ reply: 'Done.' }] })
const sweepers: ChildProcess[] = []

beforeAll(async () => {
  const env = {
    ...ownEnv(),
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: stack.client.options.namespace,
    DEVFLOW_DATA: stack.dataDir,
  }
  for (let n = 0; n < 2; n++) sweepers.push(fork(SWEEPER, { env, execArgv: [] }))
  await Promise.all(sweepers.map((sweeper) => once(sweeper, 'message')))
})
afterAll(async () => {
  for (const sweeper of sweepers) {
    const exited = once(sweeper, 'exit')
    sweeper.kill('SIGKILL')
    await exited
  }
})

/** Has both sweep at once; what they have mended together. */
async function sweepTwice(): Promise<Record<string, number>> {
  const sum: Record<string, number> = {}
  for (const rare of [false, true]) {
    const answers = sweepers.map((sweeper) => once(sweeper, 'message'))
    for (const sweeper of sweepers) sweeper.send({ rare })
    for (const [mended] of (await Promise.all(answers)) as [Record<string, number>][])
      for (const [kind, count] of Object.entries(mended)) sum[kind] = (sum[kind] ?? 0) + count
  }
  return sum
}

const rows = async (text: string, ...values: unknown[]) => (await stack.pool.query(text, values)).rows
const stuckWorkflow = (run: string) =>
  stack.client.workflow.start(TEMPORAL.workflowType, {
    workflowId: TEMPORAL.workflowId(run),
    taskQueue: NOBODY,
    args: [{ runId: run }],
  })

/** Runs whose workflows somebody ended, and one whose start was lost. */
async function lostRuns(): Promise<{ ended: string[]; missing: string }> {
  const ended: string[] = []
  for (let n = 0; n < GATES; n++) ended.push(await stack.submit(gateTemplate()))
  for (const run of ended) await stack.untilEvent(run, 'run.waiting')
  const source = await stack.finish(quick)
  const missing = randomUUIDv7()
  const submission = await readSubmission(stack.pool, 'default', source.id)
  if (!submission) throw new Error('the run was not submitted')
  await stack.stopWorker()
  await transaction(stack.pool, async (client) => {
    await forkRun(client, { source: source.id, fromPhase: 'work', run: missing, ...submission })
    await client.query('delete from devflow.outbox where run_id = $1', [missing])
  })
  stack.runs.push(missing)
  for (const run of ended) await stack.workflow(run).terminate('wrong button')
  return { ended, missing }
}

/** A call that nobody ended, of a run that is over. */
async function forgottenCall(run: string): Promise<void> {
  const at = { phase: 'work', attempt: 1, turn: 9 }
  const data = {
    call: 1,
    persona: 'player@1',
    provider: 'scripted',
    model: 'm',
    reservedMicroUsd: 12.5,
    reservedTokens: 100,
  }
  await stack.pool.query('select devflow.record($1, $2::jsonb)', [
    run,
    JSON.stringify([{ type: 'call.reserved', key: 'work/1/9/call-1/reserved', ...at, data }]),
  ])
}

test('two workers that sweep the same mess at once mend each thing once', async () => {
  const { pool } = stack
  const { id: finished } = await stack.finish(quick)
  const { id: deleted } = await stack.finish(quick)
  for (const run of [finished, deleted]) await stack.untilQuiet(run)
  const { ended, missing } = await lostRuns()
  const [never, gone] = [randomUUIDv7(), randomUUIDv7()]
  for (const run of [never, finished]) await stuckWorkflow(run)
  // What is planted in them no run could write.
  for (const run of [finished, deleted]) stack.runs.splice(stack.runs.indexOf(run), 1)
  await eraseRun(pool, deleted, 'ann')
  await forgottenCall(finished)
  await pool.query('insert into devflow.outbox (run_id) values ($1)', [gone])
  await pool.query(`insert into devflow.blobs (run_id, sha256, content) values ($1, 'x', '')`, [deleted])
  await pool.query(
    `insert into devflow.call_lookups (run_id, phase, attempt, turn, call, looks, due_at) values ($1, 'work', 1, 1, 9, 0, now())`,
    [finished],
  )
  await pool.query(
    `with pool as (insert into devflow.budget_pools (tenant, scope, persona, day, on_exceeded, allow_unpriced, used_micro_usd, used_tokens)
       values ($1, 'tenant-day', '', '2020-01-01', 'block', false, 5, 5) returning id)
     insert into devflow.budget_slices (pool, process, drawn_micro_usd, drawn_tokens, used_micro_usd, used_tokens, at)
     select id, 'dead', 5, 5, 3, 3, now() - interval '2 hours' from pool`,
    [finished],
  )
  await mkdir(join(stack.dataDir, 'workspaces', gone, 'work-1-1'), { recursive: true })
  // Temporal's lists are a moment late.
  await eventually(
    async () => {
      const open: string[] = []
      const query = `WorkflowType = '${TEMPORAL.workflowType}' AND ExecutionStatus = 'Running'`
      for await (const { workflowId } of stack.client.workflow.list({ query })) open.push(workflowId)
      return open.sort()
    },
    (open) =>
      open.join() ===
      [never, finished]
        .map((run) => TEMPORAL.workflowId(run))
        .sort()
        .join(),
  )

  const mended = await sweepTwice()
  expect(mended).toMatchObject({
    wake_of_gone_run: 1,
    call_never_ended: 1,
    lookup_without_call: 1,
    row_of_deleted_run: 1,
    slice_of_idle_process: 1,
    run_without_workflow: GATES + 1,
  })
  expect(await sweepTwice()).toEqual({})

  const wakes = (await rows('select run_id from devflow.outbox')).map(({ run_id: run }) => run)
  expect(wakes.sort()).toEqual([...ended, missing].sort())
  expect(
    await rows('select used_micro_usd::float8 as used from devflow.budget_pools where tenant = $1', finished),
  ).toEqual([{ used: 8 }])
  expect(await readdir(join(stack.dataDir, 'workspaces')).catch(() => [])).not.toContain(gone)
  expect(eventsOf(await stack.standing(finished), 'call.reconciled')).toHaveLength(1)
  for (const run of [never, finished]) {
    const { events } = await stack.workflow(run).fetchHistory()
    expect(events?.filter(({ workflowExecutionTerminatedEventAttributes: end }) => end)).toHaveLength(1)
  }

  // With the worker away, so that the wakes of sweep and decision are one: brought apart, the second may find the run over.
  for (const run of ended) await stack.decide(run, 'ok')
  await stack.startWorker()
  for (const run of [...ended, missing]) {
    const end = await stack.untilStatus(run, 'completed')
    expect(eventsOf(end, 'run.woken')).toHaveLength(1)
    expect(eventsOf(end, 'run.completed')).toHaveLength(1)
  }
  for (const run of ended) expect((await stack.histories(run)).executions).toBe(2)
  expect((await stack.histories(missing)).executions).toBe(1)
})
