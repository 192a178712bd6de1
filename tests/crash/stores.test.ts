import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decide, expectSound, read, submit, waitForEvents, waitForStatus } from './runs.ts'
import { deleteSchedules, expectEveryTime, expectMirrored, putSchedules } from './schedules.ts'
import { Stack } from './stack.ts'

/** One for all tests, as a stack lives through all of this in a row; after a test that failed the next one has its own. */
let stack: Stack
let isSound = false
beforeEach(async () => {
  if (!isSound) stack = await Stack.start({ workers: 1 })
  isSound = true
})
afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return
  isSound = false
  await stack?.close()
})
afterAll(async () => {
  if (isSound) await stack.close()
})

/** The files of Temporal's store: the database, and what SQLite keeps beside it. */
const STORE = ['temporal.db', 'temporal.db-wal', 'temporal.db-shm']

function deleteStore(): void {
  for (const file of STORE) rmSync(join(stack.dataDir, file), { force: true })
}

function copyStore(from: string, to: string): void {
  for (const file of STORE) if (existsSync(join(from, file))) cpSync(join(from, file), join(to, file))
}

/** Two runs that something can happen to: one in the middle of a phase, one at a gate. */
async function twoRuns(): Promise<{ busy: string; gated: string }> {
  const gated = await submit(stack, 'crash:gated@1', { turns: 1 })
  await waitForStatus(stack, gated, 'waiting')
  const busy = await submit(stack, 'crash:one@1', { turns: 8, chunks: 10, chunkDelayMs: 10 })
  await waitForEvents(stack, busy, 'turn.completed', 2)
  return { busy, gated }
}

async function finish({ busy, gated }: { busy: string; gated: string }, repeats: number): Promise<void> {
  await waitForStatus(stack, busy, 'completed')
  expect((await decide(stack, gated)).status).toBe(200)
  await waitForStatus(stack, gated, 'completed')
  await expectSound(stack, busy, { repeats })
  await expectSound(stack, gated, { repeats })
}

describe('devflow up', () => {
  test('killed with kill -9: nothing of it stays, and the next start goes on with every run', async () => {
    const runs = await twoRuns()
    await stack.down('SIGKILL')
    await stack.up()
    await finish(runs, 1)
  })

  test('ended in good order in the middle of a turn: the turn is finished, and nothing is paid twice', async () => {
    const runs = await twoRuns()
    await stack.down('SIGTERM')
    await stack.up()
    await finish(runs, 0)
  })
})

describe("Temporal's store", () => {
  test('deleted in the middle of a map: done items stay done, the others are done', async () => {
    const run = await submit(stack, 'crash:items@1', { turns: 3, chunks: 10, chunkDelayMs: 10 })
    await waitForEvents(stack, run, 'phase.completed', 2)
    await stack.down('SIGKILL')
    deleteStore()
    await stack.up()
    const end = await waitForStatus(stack, run, 'completed')
    expect(end.output).toEqual(Array.from({ length: 8 }, () => ({ text: 'done' })))
    // Three were under way, and the turn of each is asked for once more.
    await expectSound(stack, run, { repeats: 3 })
  })

  test('deleted: every run goes on from the log, every schedule stands as it did, and no time of any is lost', async () => {
    await putSchedules(stack)
    const runs = await twoRuns()
    await stack.down('SIGKILL')
    expect(existsSync(join(stack.dataDir, 'temporal.db'))).toBe(true)
    deleteStore()
    await stack.up()
    await expectMirrored(stack)
    await finish(runs, 1)
    await expectEveryTime(stack)
    await deleteSchedules(stack)
  })

  test('put back to an older copy: every run goes on from the log', async () => {
    const runs = await twoRuns()
    await stack.down('SIGTERM')
    const copy = join(stack.folder, 'older')
    mkdirSync(copy)
    copyStore(stack.dataDir, copy)
    expect(existsSync(join(copy, 'temporal.db'))).toBe(true)
    await stack.up()
    // Life goes on after the copy: a decision, a whole run, turns of another.
    expect((await decide(stack, runs.gated)).status).toBe(200)
    await waitForStatus(stack, runs.gated, 'completed')
    const later = await submit(stack, 'crash:gated@1', { turns: 1 })
    await waitForStatus(stack, later, 'waiting')
    await stack.down('SIGKILL')
    deleteStore()
    copyStore(copy, stack.dataDir)
    await stack.up()
    await waitForStatus(stack, runs.busy, 'completed')
    await decide(stack, later)
    await waitForStatus(stack, later, 'completed')
    for (const run of [runs.busy, runs.gated, later]) await expectSound(stack, run, { repeats: 1 })
  })
})

describe('a reset in Temporal', () => {
  test('to before a decided gate: the decision stands, and nothing is done twice', async () => {
    const run = await submit(stack, 'crash:gated@1', { turns: 2, chunks: 30, chunkDelayMs: 20 })
    await waitForStatus(stack, run, 'waiting')
    await decide(stack, run)
    await waitForEvents(stack, run, 'phase.started', 3)
    const connection = await Connection.connect({ address: stack.ready.temporalAddress })
    const client = new Client({ connection })
    try {
      const handle = client.workflow.getHandle(`run-${run}`)
      const { events } = await handle.fetchHistory()
      const timer = (events ?? []).findIndex(
        ({ workflowExecutionSignaledEventAttributes: signaled }, index) => signaled && index > 10,
      )
      const task = (events ?? [])
        .slice(0, timer)
        .findLast(({ workflowTaskCompletedEventAttributes: completed }) => completed)
      const { runId } = await handle.describe()
      await client.workflowService.resetWorkflowExecution({
        namespace: 'default',
        workflowExecution: { workflowId: `run-${run}`, runId },
        reason: 'test',
        workflowTaskFinishEventId: task?.eventId,
        requestId: crypto.randomUUID(),
      })
      await waitForStatus(stack, run, 'completed')
      expect((await read(stack, run)).output).toEqual({ text: 'done' })
      await expectSound(stack, run, { repeats: 1 })
    } finally {
      await connection.close()
    }
  })
})
