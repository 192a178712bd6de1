import type { Command } from 'commander'
import { EXIT } from '../../exit-codes.ts'
import { leavingSignal } from '../../following/leaving.ts'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { eventPrinter } from '../../sources/event-lines.ts'
import { wholeIn, wordsIn } from '../values.ts'

export function addFollow(events: Command, words: Words): void {
  const { help } = words.sources
  events
    .command('follow')
    .description(help.events.follow)
    .argument('[patterns]', help.events.patterns, wordsIn)
    .option('--after <seq>', help.events.after, wholeIn(words, 0, Number.MAX_SAFE_INTEGER))
    .action(async (topics: string[] | undefined, { after }: { after?: number }, command: Command) => {
      const invocation = invocationOf(command)
      const print = eventPrinter(invocation)
      const leaving = leavingSignal()
      const query = { ...(topics ? { topics } : {}), ...(after === undefined ? {} : { after }) }
      try {
        for await (const event of invocation.client().topics.follow({ ...query, signal: leaving.signal }))
          print(event)
      } catch (error) {
        if (!leaving.signal.aborted) throw error
        process.exitCode = EXIT.interrupted
      } finally {
        leaving.forget()
      }
    })
}
