import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'
import { wholeIn, wordsIn } from '../values.ts'

export function addList(events: Command, words: Words): void {
  const { help } = words.sources
  events
    .command('list')
    .description(help.events.list)
    .argument('[patterns]', help.events.patterns, wordsIn)
    .option('--after <seq>', help.events.after, wholeIn(words, 0, Number.MAX_SAFE_INTEGER))
    .option('--limit <count>', help.limit, wholeIn(words, 1, 1_000), 200)
    .action(onDemand(async () => (await import('../../actions/events/list.ts')).listEvents))
}
