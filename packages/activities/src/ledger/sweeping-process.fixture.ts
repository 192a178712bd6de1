// A process that sweeps the ledger again and again, from when it is told to until it is killed.
import { reconcileCalls } from './reconcile.ts'
import { sweepingDeps } from './sweeping.fixture.ts'

process.once('message', async ({ databaseUrl, baseURL }: { databaseUrl: string; baseURL: string }) => {
  const deps = sweepingDeps(databaseUrl, baseURL, 5_000)
  await deps.pool.query('select 1')
  process.send?.('ready')
  process.once('message', async () => {
    for (;;) await reconcileCalls(deps)
  })
})
