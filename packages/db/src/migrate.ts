import { setTimeout as pause } from 'node:timers/promises'
import { DevflowError } from '@devflow/contracts'
import pg from 'pg'
import { hashOf, type Migration, migrationsFolder, migrationsIn, pendingAfter } from './migrations.ts'
import { plantSeed } from './pricing/seed.ts'

/** One migrator at a time, whichever process it is in. */
const MIGRATION_LOCK = 4_715_020_701

/**
 * A change of a table waits behind whoever uses it, and everybody else behind the change: after this long it stands back
 * and tries again. Below Postgres's `deadlock_timeout`, so that in a deadlock the migration gives way.
 */
const LONGEST_LOCK_WAIT_MS = 900
const LOCK_NOT_AVAILABLE = '55P03'

export interface MigrateOptions {
  /** Where the migrations are, when they are not this build's own. */
  folder?: string
  /** How long to go on trying for tables that others hold on to, in ms. */
  patienceMs?: number
}

/**
 * Brings the database to this build's schema, wholly or not at all. Safe to call from several processes at once, and while
 * workers and APIs are at work on it. Rejects, and changes nothing, with CONFLICT `migrations_differ` when the database was
 * made by migrations other than this build's, with UNAVAILABLE `tables_in_use` when others hold on to its tables for too long.
 */
export async function migrate(
  databaseUrl: string,
  { folder = migrationsFolder, patienceMs = 120_000 }: MigrateOptions = {},
): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'devflow-migrate' })
  // A connection that breaks fails what is under way on it; unheard, it would end the process as well.
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await client.query("set client_min_messages = 'warning'")
    const migrations = await migrationsIn(folder)
    const applied = await appliedTo(client)
    await refuseOthers(applied, migrations, folder)
    const last = Math.max(0, ...applied.map(({ at }) => at))
    const isPending = pendingAfter(last, migrations).length > 0
    await client.query(`set lock_timeout = ${LONGEST_LOCK_WAIT_MS}`)
    await standingBack(patienceMs, async () => {
      if (isPending) await applyMigrations(client, folder)
      await client.query('select devflow.make_partitions()')
    })
    await plantSeed(client)
  } finally {
    // Ending the connection gives the lock back.
    await client.end()
  }
}

/**
 * Loaded where there is something to apply, and nowhere else: Node reads drizzle's package.json, of 180 KB, anew for each of its
 * modules, which takes longer than all else that a start does with a database that is as it should be.
 */
async function applyMigrations(client: pg.Client, folder: string): Promise<void> {
  const [{ drizzle }, { migrate: apply }] = await Promise.all([
    import('drizzle-orm/node-postgres'),
    import('drizzle-orm/node-postgres/migrator'),
  ])
  await apply(drizzle(client), { migrationsFolder: folder })
}

/** Does it again for as long as it cannot have its locks; in between, those who waited behind it go on. */
async function standingBack(patienceMs: number, change: () => Promise<void>): Promise<void> {
  const started = performance.now()
  for (;;) {
    try {
      return await change()
    } catch (error) {
      if (!isLocked(error)) throw error
      if (performance.now() - started > patienceMs)
        throw new DevflowError(
          'UNAVAILABLE',
          'tables_in_use',
          'Tables that the migrations change are in use without a break, as by `devflow rebuild` or a backup. Nothing was changed: try again when it is over.',
          { cause: error },
        )
      await pause(LONGEST_LOCK_WAIT_MS)
    }
  }
}

/** The migrator wraps what `pg` says. */
const isLocked = (error: unknown): boolean =>
  error instanceof Error && (('code' in error && error.code === LOCK_NOT_AVAILABLE) || isLocked(error.cause))

/** A migration on record. */
interface Applied {
  at: number
  hash: string
}

/** None where nobody has migrated the database yet. */
async function appliedTo(client: pg.Client): Promise<Applied[]> {
  const { rows: tables } = await client.query<{ name: string | null }>(
    "select to_regclass('drizzle.__drizzle_migrations')::text as name",
  )
  if (!tables[0]?.name) return []
  const { rows } = await client.query<{ hash: string; at: string }>(
    'select hash, created_at as at from drizzle.__drizzle_migrations',
  )
  return rows.map(({ hash, at }) => ({ at: Number(at), hash }))
}

/** The migrator itself looks at times alone, and would take a database of another making for its own. */
async function refuseOthers(
  applied: readonly Applied[],
  migrations: readonly Migration[],
  folder: string,
): Promise<void> {
  const ours = new Map(
    await Promise.all(migrations.map(async (each) => [each.when, await hashOf(each, folder)] as const)),
  )
  if (applied.every(({ at, hash }) => (ours.get(at) ?? hash) === hash)) return
  throw new DevflowError(
    'CONFLICT',
    'migrations_differ',
    'This database was made by an unreleased build, whose migrations differ from this one’s. Nothing in it was changed: go on with the build that made it, or give this one a database of its own (for `devflow up`, another `--data` folder).',
  )
}
