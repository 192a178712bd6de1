import pg from 'pg'
import { migrationsFolder, migrationsIn, pendingAfter } from './migrations.ts'

/** What a database is, as this build sees it. */
export interface SchemaState {
  /** As in `18.4`. */
  version: string
  major: number
  /** Migrations of this build that it does not have. */
  pending: number
  /** The name of this build's last migration. */
  latest: string
  /** A newer build has migrated it. */
  isAhead: boolean
}

/** Looks at a database and changes nothing. Rejects with what `pg` says when it is not reached. */
export async function inspectSchema(databaseUrl: string, timeoutMs = 3_000): Promise<SchemaState> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'devflow-inspect',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  })
  client.on('error', () => {}) // As in `migrate`.
  await client.connect()
  try {
    const { rows: servers } = await client.query<{ version: string; number: string }>(
      `select current_setting('server_version') as version, current_setting('server_version_num') as number`,
    )
    const { rows: tables } = await client.query<{ name: string | null }>(
      `select to_regclass('drizzle.__drizzle_migrations')::text as name`,
    )
    const { rows: done } = tables[0]?.name
      ? await client.query<{ at: string | null }>(
          'select max(created_at) as at from drizzle.__drizzle_migrations',
        )
      : { rows: [] }
    const last = Number(done[0]?.at ?? 0)
    const migrations = await migrationsIn(migrationsFolder)
    return {
      version: servers[0]?.version.split(' ')[0] ?? '',
      major: Math.floor(Number(servers[0]?.number ?? 0) / 10_000),
      pending: pendingAfter(last, migrations).length,
      latest: migrations.at(-1)?.tag ?? '',
      isAhead: last > Math.max(...migrations.map(({ when }) => when)),
    }
  } finally {
    await client.end()
  }
}
