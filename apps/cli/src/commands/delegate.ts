import { type Command, Option } from 'commander'
import type { Words } from '../messages/words.ts'
import { onDemand } from './on-demand.ts'

export function addDelegate(program: Command, words: Words): void {
  const { gates: help, arguments: named } = words.help
  program
    .command('delegate')
    .description(help.delegate)
    .argument('<run>', named.run)
    .argument('[gate]', named.gate)
    .addOption(new Option('--to <principal>', help.to).makeOptionMandatory())
    .option('--comment <text>', help.delegateComment)
    .action(onDemand(async () => (await import('../actions/decide.ts')).delegateGate))
}
