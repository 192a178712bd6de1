import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'
import { collect, wholeIn } from '../values.ts'

const MOST = 2_147_483_647

export function addApply(registry: Command, words: Words): void {
  const { registry: help, arguments: named } = words.help
  registry
    .command('apply')
    .description(help.apply)
    .argument('[files...]', named.entries)
    .option('--delete <id>', help.delete, collect(String))
    .option('--base <version>', help.base, wholeIn(words, 0, MOST))
    .option('--dry-run', help.dryRun)
    .action(onDemand(async () => (await import('../../actions/registry/apply.ts')).applyEntries))
}
