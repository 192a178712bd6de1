import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'

export function addReport(runs: Command, words: Words): void {
  const { runs: help, arguments: named } = words.help
  runs
    .command('report')
    .description(help.report)
    .argument('<run>', named.run)
    .action(onDemand(async () => (await import('../../actions/runs/report.ts')).showReport))
}
