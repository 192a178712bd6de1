import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'

/** Where the migrations lie: SQL files and the journal that orders them. */
export const migrationsFolder = fileURLToPath(new URL('../../../migrations', import.meta.url))

/** One migrator at a time, whichever process it is in. */
const MIGRATION_LOCK = 4_715_020_701

/** Brings the database to this build's schema. Safe to call from several processes at once. */
export async function migrate(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'devflow-migrate' })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await client.query("set client_min_messages = 'warning'")
    await applyMigrations(drizzle(client), { migrationsFolder })
    await client.query('select devflow.make_partitions()')
  } finally {
    // Ending the connection gives the lock back.
    await client.end()
  }
}
