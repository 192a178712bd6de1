import { TEMPORAL } from '@devflow/contracts'
import { testDatabase } from '@devflow/db/testing'
import { Connection } from '@temporalio/client'
import pg from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { Readiness } from './readiness.ts'

async function readiness(options: { address: string; namespace: string; timeoutMs?: number }) {
  const database = await testDatabase()
  const pool = new pg.Pool({ connectionString: database.url, max: 1 })
  const ready = new Readiness({ pool, ...options })
  onTestFinished(async () => {
    await ready.close()
    await pool.end()
    await database.close()
  })
  return { ready, pool, database }
}

test('names what is missing, from Temporal to workers, until they poll', async () => {
  const address = inject('temporalAddress')
  const namespace = `ready-${crypto.randomUUID()}`
  const connection = await Connection.connect({ address })
  onTestFinished(() => connection.close())
  const service = connection.workflowService
  await service.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  })
  const { ready } = await readiness({ address, namespace })
  // A namespace takes a moment to be known everywhere in the server.
  await expect
    .poll(() => ready.missing(), { timeout: 20_000 })
    .toEqual([
      { part: 'workers', message: `No worker polls ${TEMPORAL.workflowQueue}.` },
      { part: 'workers', message: `No worker polls ${TEMPORAL.sessionQueue}.` },
    ])
  const leaving = new AbortController()
  const identity = 'a worker'
  // It ends when the test leaves.
  const poll = (call: () => Promise<unknown>) =>
    connection
      .withDeadline(Date.now() + 60_000, () => connection.withAbortSignal(leaving.signal, call))
      .catch((error: unknown) => expect(leaving.signal.aborted, String(error)).toBe(true))
  const polls = [
    poll(() =>
      service.pollWorkflowTaskQueue({ namespace, taskQueue: { name: TEMPORAL.workflowQueue }, identity }),
    ),
    poll(() =>
      service.pollActivityTaskQueue({ namespace, taskQueue: { name: TEMPORAL.sessionQueue }, identity }),
    ),
  ]
  await expect.poll(() => ready.missing(), { timeout: 20_000 }).toEqual([])
  leaving.abort()
  await Promise.all(polls)
})

test('is bounded in time when nothing answers', async () => {
  const { ready, pool } = await readiness({ address: '127.0.0.1:1', namespace: 'default', timeoutMs: 200 })
  const held = await pool.connect()
  onTestFinished(() => held.release())
  const started = performance.now()
  expect((await ready.missing()).map(({ part }) => part)).toEqual(['postgres', 'temporal'])
  expect(performance.now() - started).toBeLessThan(1_500)
})
