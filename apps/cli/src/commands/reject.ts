import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { onDemand } from './on-demand.ts'

export function addReject(program: Command, words: Words): void {
  const { gates: help, arguments: named } = words.help
  program
    .command('reject')
    .description(help.reject)
    .argument('<run>', named.run)
    .argument('[gate]', named.gate)
    .option('--comment <text>', help.comment)
    .option('--subject-hash <hash>', help.subjectHash)
    .action(onDemand(async () => (await import('../actions/decide.ts')).deciding('reject')))
}
