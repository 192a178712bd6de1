import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { eventPrinter } from '../../sources/event-lines.ts'
import { wholeIn, wordsIn } from '../values.ts'

interface Flags {
  after?: number
  limit: number
}

export function addList(events: Command, words: Words): void {
  const { help } = words.sources
  events
    .command('list')
    .description(help.events.list)
    .argument('[patterns]', help.events.patterns, wordsIn)
    .option('--after <seq>', help.events.after, wholeIn(words, 0, Number.MAX_SAFE_INTEGER))
    .option('--limit <count>', help.limit, wholeIn(words, 1, 1_000), 200)
    .action(async (topics: string[] | undefined, flags: Flags, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      const page = await client().topics.read({ ...(topics ? { topics } : {}), ...flags })
      if (json) return printJson(page)
      const print = eventPrinter(invocationOf(command))
      for (const event of page.items) print(event)
      if (page.items.length === 0) screen.print(words.sources.noEvents)
    })
}
