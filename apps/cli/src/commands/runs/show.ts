import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'

export function addShow(runs: Command, words: Words): void {
  const { runs: help, arguments: named } = words.help
  runs
    .command('show')
    .description(help.show)
    .argument('<run>', named.run)
    .option('--follow', help.follow)
    .action(onDemand(async () => (await import('../../actions/runs/show.ts')).showRun))
}
