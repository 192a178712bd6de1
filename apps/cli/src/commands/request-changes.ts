import type { Command } from 'commander'
import { type DecisionFlags, decideGate } from '../decision.ts'
import type { Words } from '../messages/words.ts'

export function addRequestChanges(program: Command, words: Words): void {
  const { gates: help, arguments: named } = words.help
  program
    .command('request-changes')
    .description(help.requestChanges)
    .argument('<run>', named.run)
    .argument('[gate]', named.gate)
    .option('--comment <text>', help.comment)
    .option('--subject-hash <hash>', help.subjectHash)
    .action((run: string, gate: string | undefined, flags: DecisionFlags, command: Command) =>
      decideGate('request_changes', run, gate, flags, command),
    )
}
