import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'
import { wholeIn } from '../values.ts'

export function addHistory(registry: Command, words: Words): void {
  const help = words.help.registry
  registry
    .command('history')
    .description(help.history)
    .option('--limit <count>', help.limit, wholeIn(words, 1, 200), 20)
    .option('--cursor <cursor>', help.cursor)
    .action(onDemand(async () => (await import('../../actions/registry/history.ts')).listVersions))
}
