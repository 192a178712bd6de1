import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'

export async function publishEvent(
  topic: string,
  { data, id }: { data?: unknown; id?: string },
  command: Command,
): Promise<void> {
  const { json, screen, words, printJson, client } = invocationOf(command)
  const published = await client().topics.publish({
    topic,
    ...(data === undefined ? {} : { data: data as never }),
    ...(id === undefined ? {} : { id }),
  })
  if (json) return printJson(published)
  const { seq, duplicate } = published
  screen.print(duplicate ? words.sources.duplicate(published.id, seq) : words.sources.published(seq))
}
