import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'
import { eventPrinter } from '../../sources/event-lines.ts'

interface Flags {
  after?: number
  limit: number
}

export async function listEvents(
  topics: string[] | undefined,
  flags: Flags,
  command: Command,
): Promise<void> {
  const { json, screen, words, printJson, client } = invocationOf(command)
  const page = await client().topics.read({ ...(topics ? { topics } : {}), ...flags })
  if (json) return printJson(page)
  const print = eventPrinter(invocationOf(command))
  for (const event of page.items) print(event)
  if (page.items.length === 0) screen.print(words.sources.noEvents)
}
