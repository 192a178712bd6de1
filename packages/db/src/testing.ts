import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { inject } from 'vitest'
import { migrate } from './migrate.ts'
import { migrationsFolder } from './migrations.ts'

export { laterMigrations } from './testing-migrations.ts'
export { newRun } from './testing-runs.ts'

declare module 'vitest' {
  interface ProvidedContext {
    databaseUrl: string
  }
}

/** A fresh, migrated database of a test's own. */
export interface TestDatabase {
  url: string
  /** Drops the database, and with it the connections still open to it. */
  close(): Promise<void>
}

const MOST_LOOKS = 40
const LOOK_MS = 25

/** One maker of a template at a time, whichever process it is in. */
const TEMPLATE_LOCK = 4_715_020_702

/**
 * Clones a fresh database from a migrated one, which costs a tenth of migrating it. The server is the one the test
 * set-up provides, or `DEVFLOW_TEST_DATABASE_URL`; its user must be allowed to create databases.
 */
export async function testDatabase(): Promise<TestDatabase> {
  const server = inject('databaseUrl') ?? process.env.DEVFLOW_TEST_DATABASE_URL
  if (!server) throw new Error('no database to test on: set DEVFLOW_TEST_DATABASE_URL to a Postgres address')
  const name = `devflow_test_${randomUUID().replaceAll('-', '')}`
  await withClient(server, async (client) => {
    const template = await makeTemplate(client, server)
    await client.query(`create database ${name} template ${template}`)
  })
  return {
    url: databaseAt(server, name),
    close: () =>
      withClient(server, async (client) => {
        await untilLeft(client, name)
        await client.query(`drop database if exists ${name} with (force)`)
      }),
  }
}

/** A pool says that it has ended before its connections have: cut off then, they would tell of it as an error. Waits for them a while. */
async function untilLeft(client: pg.Client, database: string): Promise<void> {
  const query = 'select 1 from pg_stat_activity where datname = $1'
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    if ((await client.query(query, [database])).rowCount === 0) return
    await sleep(LOOK_MS)
  }
}

/** The name of a database migrated to this checkout's migrations and prices; made when it is not there yet. */
async function makeTemplate(client: pg.Client, server: string): Promise<string> {
  const template = `devflow_template_${await migrationsHash()}`
  const exists = async () =>
    (await client.query('select 1 from pg_database where datname = $1', [template])).rowCount === 1
  if (await exists()) return template
  await client.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK])
  try {
    if (await exists()) return template
    // Made under another name first: a maker that dies half-way leaves no half-made template.
    const draft = `${template}_draft`
    await client.query(`drop database if exists ${draft} with (force)`)
    await client.query(`create database ${draft}`)
    await migrate(databaseAt(server, draft))
    await client.query(`alter database ${draft} rename to ${template}`)
    return template
  } finally {
    await client.query('select pg_advisory_unlock($1)', [TEMPLATE_LOCK])
  }
}

async function migrationsHash(): Promise<string> {
  const hash = createHash('sha256')
  const files = (await readdir(migrationsFolder)).filter((file) => file.endsWith('.sql')).sort()
  for (const file of files) hash.update(await readFile(join(migrationsFolder, file)))
  hash.update(await readFile(new URL('./pricing/seed.json', import.meta.url)))
  return hash.digest('hex').slice(0, 16)
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'devflow-test-setup' })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

function databaseAt(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}
