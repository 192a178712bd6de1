import { DevflowError } from '@devflow/contracts'
import type { Config } from './config.ts'
import { temporalVersion } from './doctor/temporal-version.ts'
import type { Words } from './messages/words.ts'

const PATIENCE_MS = 10_000

type Variable = 'DATABASE_URL' | 'TEMPORAL_ADDRESS'

/** Rejects with UNAVAILABLE `database_unreachable` where the Postgres that DATABASE_URL names does not let us in. */
export async function requireDatabase(databaseUrl: string, words: Words): Promise<void> {
  // Only here: it takes a second that no other command should.
  const { inspectSchema } = await import('@devflow/db')
  await inspectSchema(databaseUrl, PATIENCE_MS).catch((error: unknown) => {
    throw unreachable('database_unreachable', 'DATABASE_URL', new URL(databaseUrl).host, error, words)
  })
}

/** Finds the servers that the environment names. Rejects as above, or with UNAVAILABLE `temporal_unreachable`. */
export async function requireGiven({ databaseUrl, temporalAddress }: Config, words: Words): Promise<void> {
  if (databaseUrl !== undefined) await requireDatabase(databaseUrl, words)
  if (temporalAddress === undefined) return
  await temporalVersion(temporalAddress, PATIENCE_MS).catch((error: unknown) => {
    throw unreachable('temporal_unreachable', 'TEMPORAL_ADDRESS', temporalAddress, error, words)
  })
}

function unreachable(code: string, variable: Variable, at: string, cause: unknown, { failures }: Words) {
  const message = failures.serverAway(variable, at, reasonOf(cause))
  return new DevflowError('UNAVAILABLE', code, message, { cause })
}

/** What `pg` says holds no password; an error of several addresses says nothing itself. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}
