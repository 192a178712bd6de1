import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { DATA_FOLDER } from '../up/data-folder.ts'
import { onDemand } from './on-demand.ts'

export function addDoctor(program: Command, words: Words): void {
  program
    .command('doctor')
    .description(words.help.doctor.about)
    .option('--data <dir>', words.help.doctor.data, DATA_FOLDER)
    .action(onDemand(async () => (await import('../actions/doctor.ts')).diagnose))
}
