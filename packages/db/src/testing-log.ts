import pg from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { GroupWriter } from './group-writer.ts'
import { testDatabase } from './testing.ts'

export interface TestLog {
  url: string
  pool: pg.Pool
  writer: GroupWriter
}

/** A database of a test file's own, with a pool and a writer, from before its first test until after its last. */
export function useLog(opened: (log: TestLog) => void): void {
  let close = async () => {}
  beforeAll(async () => {
    const database = await testDatabase()
    const { url } = database
    const pool = new pg.Pool({ connectionString: url })
    const writer = new GroupWriter(url, pool)
    close = async () => {
      await writer.close()
      await pool.end()
      await database.close()
    }
    opened({ url, pool, writer })
  })
  afterAll(() => close())
}
