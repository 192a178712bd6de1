import { rm } from 'node:fs/promises'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { migrate } from './migrate.ts'
import { requireSchema } from './require-schema.ts'
import { laterMigrations, testDatabase } from './testing.ts'

/** This build's migrations and one more. */
async function later(sql: string): Promise<string> {
  const folder = await laterMigrations(sql)
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  // Dropping the database ends those that a test leaves open.
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

async function database(): Promise<string> {
  const { url, close } = await testDatabase()
  onTestFinished(close)
  return url
}

test('a database made by other migrations is refused in words, and left as it is; one of ours is migrated again at will', async () => {
  const url = await database()
  await migrate(url)
  const client = await connected(url)
  await client.query("update drizzle.__drizzle_migrations set hash = 'another' where id = 2")
  const count = async () =>
    (await client.query('select count(*)::int as n from drizzle.__drizzle_migrations')).rows
  const before = await count()
  await expect(migrate(url)).rejects.toMatchObject({ kind: 'CONFLICT', code: 'migrations_differ' })
  expect(await count()).toEqual(before)
})

test('a migration never makes others wait long for a table that it must wait for: it stands back and tries again', async () => {
  const url = await database()
  const folder = await later('alter table devflow.runs add column added text')
  const [reader, other] = await Promise.all([connected(url), connected(url)])
  await reader.query('begin')
  await reader.query('select from devflow.runs')
  await expect(migrate(url, { folder, patienceMs: 1 })).rejects.toMatchObject({ code: 'tables_in_use' })
  await requireSchema(url)
  const migrated = migrate(url, { folder })
  await waitingFor(other, 'devflow.runs')
  // It would wait for as long as the reader stays, were it not for the migration's standing back.
  await other.query('select from devflow.runs')
  await reader.query('commit')
  await migrated
  expect((await other.query('select added from devflow.runs')).rows).toEqual([])
})

test('a connection that breaks in a migration fails it, and nothing else: it is done again at will', async () => {
  const url = await database()
  const folder = await later('select pg_sleep(60)')
  const other = await connected(url)
  const failed = expect(migrate(url, { folder })).rejects.toThrow()
  const cut = async () => {
    const { rowCount } = await other.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'devflow-migrate' and query like '%pg_sleep%' and datname = current_database()",
    )
    return rowCount
  }
  await expect.poll(cut).toBe(1)
  await failed
  await migrate(url)
})

test('a database that lacks migrations is older than the build, one that has more is not', async () => {
  const url = await database()
  const client = await connected(url)
  await migrate(url, { folder: await later('create table devflow.added (id text)') })
  await requireSchema(url)
  await migrate(url)
  await client.query('delete from drizzle.__drizzle_migrations where id > 3')
  await expect(requireSchema(url)).rejects.toMatchObject({
    kind: 'CONFLICT',
    code: 'database_older',
    message: expect.stringMatching(/lacks \d+ migrations .* up to \d{4}_\w+\. Run `devflow migrate`/),
  })
  await requireSchema('postgres://nobody@127.0.0.1:1/nothing')
})

/** Until somebody waits for a lock on that table. */
async function waitingFor(client: pg.Client, table: string): Promise<void> {
  const query = 'select 1 from pg_locks where relation = $1::regclass and not granted'
  while ((await client.query(query, [table])).rows.length === 0) await new Promise(setImmediate)
}
