import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { onDemand } from './on-demand.ts'

export function addCalls(program: Command, words: Words): void {
  program
    .command('calls')
    .description(words.help.calls.about)
    .argument('<run>', words.help.arguments.run)
    .option('--csv', words.help.calls.csv)
    .action(onDemand(async () => (await import('../actions/calls.ts')).showCalls))
}
