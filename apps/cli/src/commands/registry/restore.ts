import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'
import { wholeIn } from '../values.ts'

const MOST = 2_147_483_647

export function addRestore(registry: Command, words: Words): void {
  const { registry: help, arguments: named } = words.help
  registry
    .command('restore')
    .description(help.restore)
    .argument('<version>', named.version, wholeIn(words, 0, MOST))
    .option('--base <version>', help.base, wholeIn(words, 0, MOST))
    .action(onDemand(async () => (await import('../../actions/registry/restore.ts')).restoreVersion))
}
