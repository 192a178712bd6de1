import { resolve } from 'node:path'
import { migrate } from '@devflow/db'
import type { Command } from 'commander'
import { invocationOf } from '../invocation.ts'
import { withDatabase } from '../with-database.ts'

export async function migrateDatabase({ data }: { data: string }, command: Command): Promise<void> {
  const invocation = invocationOf(command)
  const { json, screen, words, printJson } = invocation
  await withDatabase(resolve(data), invocation, (databaseUrl) => migrate(databaseUrl))
  if (json) printJson({ migrated: true })
  else screen.print(words.migrated)
}
