import { DevflowError } from '@devflow/contracts'
import { inspectSchema } from './inspect-schema.ts'

const PATIENCE_MS = 10_000

/**
 * Rejects with CONFLICT `database_older` when the database lacks migrations of this build. One that has more is as good:
 * migrations add before they take away. Where Postgres cannot be asked nothing is known; who works with it next will say why.
 */
export async function requireSchema(databaseUrl: string): Promise<void> {
  const state = await inspectSchema(databaseUrl, PATIENCE_MS).catch(() => undefined)
  if (state === undefined || state.pending === 0) return
  const lacks = state.pending === 1 ? 'a migration' : `${state.pending} migrations`
  throw new DevflowError(
    'CONFLICT',
    'database_older',
    `The database lacks ${lacks} of this build, up to ${state.latest}. Run \`devflow migrate\` with this build, then start it again; workers and APIs of the build before go on meanwhile.`,
  )
}
