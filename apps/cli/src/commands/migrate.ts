import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { DATA_FOLDER } from '../up/data-folder.ts'
import { onDemand } from './on-demand.ts'

/** For those who run API and workers by themselves: neither migrates. */
export function addMigrate(program: Command, words: Words): void {
  const help = words.help.migrate
  program
    .command('migrate')
    .description(help.about)
    .option('--data <dir>', help.data, DATA_FOLDER)
    .action(onDemand(async () => (await import('../actions/migrate.ts')).migrateDatabase))
}
