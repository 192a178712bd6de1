import { fileURLToPath } from 'node:url'
import { DevflowError } from '@devflow/contracts'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'
import { plantSeed } from './pricing/seed.ts'

/** Where the migrations lie: SQL files and the journal that orders them. */
export const migrationsFolder = fileURLToPath(new URL('../../../migrations', import.meta.url))

/** One migrator at a time, whichever process it is in. */
const MIGRATION_LOCK = 4_715_020_701

/**
 * Brings the database to this build's schema. Safe to call from several processes at once. Rejects with CONFLICT
 * `migrations_differ`, and changes nothing, when the database was made by migrations other than this build's.
 */
export async function migrate(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'devflow-migrate' })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await client.query("set client_min_messages = 'warning'")
    await refuseOthers(client)
    await applyMigrations(drizzle(client), { migrationsFolder })
    await client.query('select devflow.make_partitions()')
    await plantSeed(client)
  } finally {
    // Ending the connection gives the lock back.
    await client.end()
  }
}

/** The migrator itself looks at times alone, and would take a database of another making for its own. */
async function refuseOthers(client: pg.Client): Promise<void> {
  const { rows: tables } = await client.query<{ name: string | null }>(
    "select to_regclass('drizzle.__drizzle_migrations')::text as name",
  )
  if (!tables[0]?.name) return
  const { rows } = await client.query<{ hash: string; at: string }>(
    'select hash, created_at as at from drizzle.__drizzle_migrations',
  )
  const ours = new Map(
    readMigrationFiles({ migrationsFolder }).map(({ folderMillis, hash }) => [folderMillis, hash]),
  )
  if (rows.every(({ hash, at }) => (ours.get(Number(at)) ?? hash) === hash)) return
  throw new DevflowError(
    'CONFLICT',
    'migrations_differ',
    'This database was made by an unreleased build, whose migrations differ from this one’s. Nothing in it was changed: go on with the build that made it, or give this one a database of its own (for `devflow up`, another `--data` folder).',
  )
}
