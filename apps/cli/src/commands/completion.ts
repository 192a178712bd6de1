import { Argument, type Command } from 'commander'
import { SHELLS } from '../completion/shells.ts'
import type { Words } from '../messages/words.ts'
import { onDemand } from './on-demand.ts'

export function addCompletion(program: Command, words: Words): void {
  program
    .command('completion')
    .description(words.help.completion)
    .addArgument(new Argument('<shell>', words.help.arguments.shell).choices(SHELLS))
    .action(onDemand(async () => (await import('../actions/completion.ts')).completing(program)))
}
