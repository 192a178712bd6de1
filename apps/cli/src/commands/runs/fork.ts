import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'
import { collect, pairIn } from '../values.ts'

/** `runs fork`: a new run that goes on from a phase of another. */
export function addFork(runs: Command, words: Words): void {
  const { help } = words.forks
  const { run: submitting, arguments: named } = words.help
  runs
    .command('fork')
    .description(help.fork)
    .argument('<run>', named.run)
    .requiredOption('--from <phase>', help.from)
    .option('--input <k=v>', help.input, collect(pairIn(words)))
    .option('--input-file <file>', help.inputFile)
    .option('--bind <role=persona>', submitting.bind, collect(pairIn(words)))
    .option('--detach', help.detach)
    .action(onDemand(async () => (await import('../../actions/runs/fork.ts')).forkRun))
}
