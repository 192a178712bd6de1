import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { onDemand } from './on-demand.ts'
import { dollarsIn } from './values.ts'

export function addApprove(program: Command, words: Words): void {
  const { gates: help, arguments: named } = words.help
  program
    .command('approve')
    .description(help.approve)
    .argument('<run>', named.run)
    .argument('[gate]', named.gate)
    .option('--comment <text>', help.comment)
    .option('--subject-hash <hash>', help.subjectHash)
    .option('--raise-to <usd>', help.raiseTo, dollarsIn(words))
    .action(onDemand(async () => (await import('../actions/decide.ts')).deciding('approve')))
}
