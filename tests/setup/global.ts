// One Postgres and one Temporal for a whole test run. Tests read where they are with `inject('databaseUrl')` and
// `inject('temporalAddress')`; each makes a database and a namespace or ids of its own.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheFolder, obtainTemporal, startPostgres, startTemporal } from '@devflow/local-stack'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A superuser's: tests create their own databases. */
    databaseUrl: string
    temporalAddress: string
    /** Where downloads and built tools are kept. */
    cacheFolder: string
    /** Where files of this test run keep what the others need too; it is removed at the end. */
    runFolder: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { DEVFLOW_TEST_DATABASE_URL: databaseUrl, DEVFLOW_TEST_TEMPORAL_ADDRESS: temporalAddress } =
    process.env
  const folder = mkdtempSync(join(tmpdir(), 'devflow-test-'))
  const ends: (() => Promise<void>)[] = []
  project.provide('cacheFolder', cacheFolder(process.env))
  project.provide('runFolder', folder)
  const teardown = async () => {
    await Promise.all(ends.map((end) => end()))
    rmSync(folder, { recursive: true, force: true })
  }
  const database = async () => {
    const postgres = await startPostgres({
      dataDir: join(folder, 'postgres'),
      throwaway: true,
      settings: { max_connections: 200 },
      path: process.env.PATH,
    })
    // In good order: killed, it would leave shared memory behind.
    ends.push(postgres.stop)
    return postgres.url
  }
  const temporal = async () => {
    const server = await startTemporal({
      dbFile: join(folder, 'temporal.db'),
      program: await temporalProgram(),
    })
    ends.push(server.kill)
    return server.address
  }
  const parts = [databaseUrl ?? database(), temporalAddress ?? temporal()] as const
  try {
    const [url, address] = await Promise.all(parts)
    project.provide('databaseUrl', url)
    project.provide('temporalAddress', address)
  } catch (error) {
    await Promise.allSettled(parts)
    await teardown()
    throw error
  }
  return teardown
}

async function temporalProgram(): Promise<string> {
  const program = await obtainTemporal({
    cacheDir: cacheFolder(process.env),
    env: process.env,
    onProgress: console.error,
  })
  return program.path
}
