import { type Command, Option } from 'commander'
import { delegateGate } from '../decision.ts'
import type { Words } from '../messages/words.ts'

export function addDelegate(program: Command, words: Words): void {
  const { gates: help, arguments: named } = words.help
  program
    .command('delegate')
    .description(help.delegate)
    .argument('<run>', named.run)
    .argument('[gate]', named.gate)
    .addOption(new Option('--to <principal>', help.to).makeOptionMandatory())
    .option('--comment <text>', help.delegateComment)
    .action(
      (run: string, gate: string | undefined, flags: { to: string; comment?: string }, command: Command) =>
        delegateGate(run, gate, flags, command),
    )
}
