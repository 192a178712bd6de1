import type { Command } from 'commander'
import { EXIT } from '../../exit-codes.ts'
import { leavingSignal } from '../../following/leaving.ts'
import { invocationOf } from '../../invocation.ts'
import { eventPrinter } from '../../sources/event-lines.ts'

export async function followEvents(
  topics: string[] | undefined,
  { after }: { after?: number },
  command: Command,
): Promise<void> {
  const invocation = invocationOf(command)
  const { json, screen, words } = invocation
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
}
