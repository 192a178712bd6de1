import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'

export function addDiff(runs: Command, words: Words): void {
  runs
    .command('diff')
    .description(words.forks.help.diff)
    .argument('<run>', words.help.arguments.run)
    .argument('<other>', words.forks.help.other)
    .action(onDemand(async () => (await import('../../actions/runs/diff.ts')).diffRuns))
}
