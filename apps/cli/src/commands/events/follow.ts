import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'
import { wholeIn, wordsIn } from '../values.ts'

export function addFollow(group: Command, words: Words): void {
  const { help } = words.sources
  group
    .command('follow')
    .description(help.events.follow)
    .argument('[patterns]', help.events.patterns, wordsIn)
    .option('--after <seq>', help.events.after, wholeIn(words, 0, Number.MAX_SAFE_INTEGER))
    .action(onDemand(async () => (await import('../../actions/events/follow.ts')).followEvents))
}
