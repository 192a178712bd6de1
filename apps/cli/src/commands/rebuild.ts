import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { DATA_FOLDER } from '../up/data-folder.ts'
import { onDemand } from './on-demand.ts'

export function addRebuild(program: Command, words: Words): void {
  const help = words.help.rebuild
  program
    .command('rebuild')
    .description(help.about)
    .option('--check', help.check)
    .option('--data <dir>', help.data, DATA_FOLDER)
    .action(onDemand(async () => (await import('../actions/rebuild.ts')).rebuildDatabase))
}
