import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'
import { wholeIn, wordsIn } from '../values.ts'

export function addEvents(runs: Command, words: Words): void {
  const { runs: help, arguments: named } = words.help
  runs
    .command('events')
    .description(help.events)
    .argument('<run>', named.run)
    .option('--follow', help.followEvents)
    .option('--after <seq>', help.after, wholeIn(words, 0, Number.MAX_SAFE_INTEGER), 0)
    .option('--type <types>', help.type, wordsIn)
    .option('--chunks', help.chunks)
    .action(onDemand(async () => (await import('../../actions/runs/events.ts')).showEvents))
}
