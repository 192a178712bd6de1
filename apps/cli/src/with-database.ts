import { existsSync } from 'node:fs'
import { DevflowError } from '@devflow/contracts'
import { startPostgres } from '@devflow/local-stack'
import { requireDatabase } from './given-servers.ts'
import type { Invocation } from './invocation.ts'
import { dataLayout } from './up/data-layout.ts'
import { readEndpoints } from './up/endpoints.ts'
import { lockUnlessRunning } from './up/lock-unless-running.ts'

/**
 * Works on the data folder's database: DATABASE_URL's where it is given, that of the running `devflow up`, else Postgres
 * is started for just this.
 */
export async function withDatabase<Result>(
  dataDir: string,
  { config: { databaseUrl, path }, words }: Pick<Invocation, 'config' | 'words'>,
  use: (databaseUrl: string) => Promise<Result>,
): Promise<Result> {
  if (databaseUrl !== undefined) {
    await requireDatabase(databaseUrl, words)
    return use(databaseUrl)
  }
  const at = dataLayout(dataDir)
  if (!existsSync(at.postgres)) {
    const message = `${dataDir} holds no database: name the data folder with --data, or set DATABASE_URL`
    throw new DevflowError('NOT_FOUND', 'no_data', message)
  }
  const lock = lockUnlessRunning(dataDir)
  if (!lock) {
    const endpoints = readEndpoints(dataDir)
    if (endpoints) return use(endpoints.databaseUrl)
    throw new DevflowError('UNAVAILABLE', 'not_ready', `devflow up on ${dataDir} is not ready yet: try again`)
  }
  const postgres = await startPostgres({ dataDir: at.postgres, logFile: at.log('postgres'), path })
  try {
    return await use(postgres.url)
  } finally {
    await postgres.stop()
    lock.release()
  }
}
