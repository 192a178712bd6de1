import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { onDemand } from './on-demand.ts'
import { collect, dollarsIn, pairIn } from './values.ts'

export function addRun(program: Command, words: Words): void {
  const { run: help, arguments: named } = words.help
  program
    .command('run')
    .description(help.about)
    .argument('<template>', named.template)
    .option('--input <k=v>', help.input, collect(pairIn(words)))
    .option('--input-file <file>', help.inputFile)
    .option('--bind <role=persona>', help.bind, collect(pairIn(words)))
    .option('--repo <dir>', help.repo)
    .option('--base <ref>', help.base)
    .option('--budget <usd>', help.budget, dollarsIn(words))
    .option('--label <k=v>', help.label, collect(pairIn(words)))
    .option('--yes', help.yes)
    .option('--detach', help.detach)
    .action(onDemand(async () => (await import('../actions/run.ts')).submitRun))
}
