import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DevflowError } from '@devflow/contracts'

const SQLITE_BUSY = 5

export interface DataLock {
  release(): void
}

/**
 * Takes the data folder for this process; throws `CONFLICT data_in_use` when another process has it. The lock is
 * SQLite's, that is the operating system's: it goes with its process, so a kill -9 leaves nothing stale behind.
 */
export function lockData(dataDir: string): DataLock {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const database = new DatabaseSync(join(dataDir, 'lock'))
  try {
    // Nothing is ever written but the header page; no journal means no second file.
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    if (!(cause instanceof Error && 'errcode' in cause && cause.errcode === SQLITE_BUSY)) throw cause
    throw new DevflowError(
      'CONFLICT',
      'data_in_use',
      `the data folder ${dataDir} is in use by another devflow up: stop that one, or give this one a folder of its own with --data`,
      { cause },
    )
  }
  return { release: () => database.close() }
}
