// A process that sweeps whenever its parent says so, as the worker of another machine does; answers what it has mended.
import { createLogger } from '@devflow/process'
import { Client, Connection } from '@temporalio/client'
import pg from 'pg'
import { sweepOrphans } from './sweep.ts'

const { DATABASE_URL, TEMPORAL_ADDRESS = '', TEMPORAL_NAMESPACE = '', DEVFLOW_DATA = '' } = process.env
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 4, options: '-c timezone=UTC' })
const connection = await Connection.connect({ address: TEMPORAL_ADDRESS })
const client = new Client({ connection, namespace: TEMPORAL_NAMESPACE })
const log = createLogger({ name: 'sweeper', level: 'warn', secrets: [] })

process.on('message', async ({ rare }: { rare: boolean }) => {
  const mended: Record<string, number> = {}
  await sweepOrphans(
    { pool, client, dataDir: DEVFLOW_DATA, log, olderThanMs: 0 },
    {
      rare,
      onMended: (kind, count) => {
        mended[kind] = count
      },
    },
  )
  process.send?.(mended)
})
process.send?.('ready')
