import pg from 'pg'
import { expect, test } from 'vitest'
import { testDatabase } from './testing.ts'

test('every test database is migrated, empty and its own, also when several are made at once', async () => {
  const [one, two] = await Promise.all([testDatabase(), testDatabase()])
  const client = new pg.Client({ connectionString: one.url })
  client.on('error', () => {}) // Dropping the database ends the connection.
  await client.connect()
  expect((await client.query('select count(*)::int as n from devflow.runs')).rows).toEqual([{ n: 0 }])
  expect(one.url).not.toBe(two.url)
  await Promise.all([one.close(), two.close()])
  await client.end()
})
