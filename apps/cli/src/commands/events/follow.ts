import type { Command } from 'commander'
import { EXIT } from '../../exit-codes.ts'
import { leavingSignal } from '../../following/leaving.ts'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { eventPrinter } from '../../sources/event-lines.ts'
import { wholeIn, wordsIn } from '../values.ts'

export function addFollow(group: Command, words: Words): void {
  const { help } = words.sources
  group
    .command('follow')
    .description(help.events.follow)
    .argument('[patterns]', help.events.patterns, wordsIn)
    .option('--after <seq>', help.events.after, wholeIn(words, 0, Number.MAX_SAFE_INTEGER))
    .action(async (topics: string[] | undefined, { after }: { after?: number }, command: Command) => {
      const invocation = invocationOf(command)
      const { json, screen } = invocation
      const print = eventPrinter(invocation)
      const lost = () => {
        if (!json) screen.print(words.sources.connection)
      }
      const { topics: events } = invocation.client({ onRetry: lost })
      const leaving = leavingSignal()
      const { signal } = leaving
      const query = { ...(topics ? { topics } : {}), ...(after === undefined ? {} : { after }) }
      try {
        // A stream is connected again and again; whether anybody is there at all is found out before.
        await events.read({ ...query, limit: 1 }, { signal })
        for await (const event of events.follow({ ...query, signal })) print(event)
      } catch (error) {
        if (!signal.aborted) throw error
        process.exitCode = EXIT.interrupted
      } finally {
        leaving.forget()
      }
    })
}
