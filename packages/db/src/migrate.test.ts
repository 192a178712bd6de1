import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { migrate } from './migrate.ts'
import { testDatabase } from './testing.ts'

test('a database made by other migrations is refused in words, and left as it is; one of ours is migrated again at will', async () => {
  const database = await testDatabase()
  onTestFinished(() => database.close())
  await migrate(database.url)
  const client = new pg.Client(database.url)
  await client.connect()
  await client.query("update drizzle.__drizzle_migrations set hash = 'another' where id = 2")
  const count = async () =>
    (await client.query('select count(*)::int as n from drizzle.__drizzle_migrations')).rows
  const before = await count()
  await expect(migrate(database.url)).rejects.toMatchObject({ kind: 'CONFLICT', code: 'migrations_differ' })
  expect(await count()).toEqual(before)
  await client.end()
})
