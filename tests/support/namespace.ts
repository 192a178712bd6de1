import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { TEMPORAL } from '@devflow/contracts'
import { Client, Connection } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time.js'

/** Temporal's enum values. */
const TYPES = { Keyword: 2, KeywordList: 7 } as const
const PATIENCE_MS = 20_000

/** A fresh namespace on the test run's Temporal, usable when this resolves. The caller closes the connection. */
export async function freshNamespace(address: string): Promise<{ namespace: string; client: Client }> {
  const namespace = `test-${randomUUID().slice(0, 8)}`
  const connection = await Connection.connect({ address })
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  })
  const client = new Client({ connection, namespace })
  // The server's parts learn of a namespace one by one: it is usable when a start that names our attributes passes.
  await insistently(() =>
    connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(
        Object.entries(TEMPORAL.searchAttributes).map(([name, type]) => [name, TYPES[type]]),
      ),
    }),
  )
  await insistently(async () => {
    const handle = await client.workflow.start('probe', {
      workflowId: 'probe',
      taskQueue: 'nobody',
      searchAttributes: { DevflowRun: ['probe'] },
      workflowIdConflictPolicy: 'USE_EXISTING',
    })
    await handle.terminate()
  })
  return { namespace, client }
}

/** Again and again until it passes. */
async function insistently<T>(work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (performance.now() - started > PATIENCE_MS) throw error
      await pause(50)
    }
  }
}
