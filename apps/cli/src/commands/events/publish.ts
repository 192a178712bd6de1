import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'
import { jsonOrText } from '../values.ts'

export function addPublish(events: Command, words: Words): void {
  const { help } = words.sources
  events
    .command('publish')
    .description(help.events.publish)
    .argument('<topic>', help.events.topic)
    .option('--data <json>', help.events.data, jsonOrText)
    .option('--id <id>', help.events.id)
    .action(onDemand(async () => (await import('../../actions/events/publish.ts')).publishEvent))
}
