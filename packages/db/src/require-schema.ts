import { DevflowError } from '@devflow/contracts'
import { failureKind } from './database-errors.ts'
import { inspectSchema } from './inspect-schema.ts'

/**
 * Rejects with CONFLICT `database_older` when the database lacks migrations of this build. One that has more is as good:
 * migrations add before they take away. Where Postgres does not answer, nothing is known and nothing is said.
 */
export async function requireSchema(databaseUrl: string): Promise<void> {
  const { pending, latest } = await inspectSchema(databaseUrl).catch((error: unknown) => {
    if (failureKind(error) !== 'transient') throw error
    return { pending: 0, latest: '' }
  })
  if (pending === 0) return
  const lacks = pending === 1 ? 'a migration' : `${pending} migrations`
  throw new DevflowError(
    'CONFLICT',
    'database_older',
    `The database lacks ${lacks} of this build, up to ${latest}. Run \`devflow migrate\` with this build, then start it again; workers and APIs of the build before go on meanwhile.`,
  )
}
