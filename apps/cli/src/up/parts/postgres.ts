import { startPostgres } from '@devflow/local-stack'
import type { Supervised } from '../supervise.ts'
import type { PartContext } from './part-context.ts'

/** The embedded Postgres, or the one DATABASE_URL names, which is nobody's to keep. */
export async function keepPostgres({
  options,
  at,
  endpoints,
  keep,
}: PartContext): Promise<Supervised | undefined> {
  const { databaseUrl, path } = options.config
  if (databaseUrl !== undefined) {
    endpoints.databaseUrl = databaseUrl
    return undefined
  }
  // The first start finds a port, later ones keep it: pools and people know it by then.
  let port: number | undefined
  const start = () => startPostgres({ dataDir: at.postgres, port, logFile: at.log('postgres'), path })
  return keep('Postgres', start, (postgres) => {
    port = postgres.port
    endpoints.databaseUrl = postgres.url
    endpoints.pids.postgres = postgres.pid
  })
}
