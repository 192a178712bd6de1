import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { jsonOrText } from '../values.ts'

export function addPublish(events: Command, words: Words): void {
  const { help } = words.sources
  events
    .command('publish')
    .description(help.events.publish)
    .argument('<topic>', help.events.topic)
    .option('--data <json>', help.events.data, jsonOrText)
    .option('--id <id>', help.events.id)
    .action(async (topic: string, { data, id }: { data?: unknown; id?: string }, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      const published = await client().topics.publish({
        topic,
        ...(data === undefined ? {} : { data: data as never }),
        ...(id === undefined ? {} : { id }),
      })
      if (json) return printJson(published)
      const { seq, duplicate } = published
      screen.print(duplicate ? words.sources.duplicate(published.id, seq) : words.sources.published(seq))
    })
}
