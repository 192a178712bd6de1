import { DEFAULT_TENANT } from '@devflow/contracts'
import pg from 'pg'
import { expect, test } from 'vitest'
import { testDatabase } from '../testing.ts'
import { warmSubmissions } from './warm-submissions.ts'

test('each connection has done a submission, and nothing of it is left', async () => {
  const database = await testDatabase()
  const pool = new pg.Pool({ connectionString: database.url, max: 3 })
  try {
    await warmSubmissions(pool, DEFAULT_TENANT, 3)
    expect(pool.totalCount).toBe(3)
    const clients = await Promise.all([1, 2, 3].map(() => pool.connect()))
    for (const client of clients) {
      const { rows } = await client.query('select name from pg_prepared_statements order by name')
      expect(rows).toEqual([{ name: 'read-run' }, { name: 'submit-run' }])
      client.release()
    }
    for (const table of ['runs', 'run_heads', 'run_events', 'definitions', 'outbox'])
      expect((await pool.query(`select from devflow.${table}`)).rowCount).toBe(0)
  } finally {
    await pool.end()
    await database.close()
  }
})
