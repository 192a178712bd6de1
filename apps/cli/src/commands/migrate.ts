import { resolve } from 'node:path'
import type { Command } from 'commander'
import { DATA_FOLDER, invocationOf } from '../invocation.ts'
import type { Words } from '../messages/words.ts'

/** For those who run API and workers by themselves: neither migrates. */
export function addMigrate(program: Command, words: Words): void {
  const help = words.help.migrate
  program
    .command('migrate')
    .description(help.about)
    .option('--data <dir>', help.data, DATA_FOLDER)
    .action(async ({ data }: { data: string }, command: Command) => {
      const invocation = invocationOf(command)
      const { json, screen, printJson } = invocation
      // Only here: it takes a second that no other command should.
      const { migrate } = await import('@devflow/db')
      const { withDatabase } = await import('../with-database.ts')
      await withDatabase(resolve(data), invocation, (databaseUrl) => migrate(databaseUrl))
      if (json) printJson({ migrated: true })
      else screen.print(words.migrated)
    })
}
