import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { addFollow } from './events/follow.ts'
import { addList } from './events/list.ts'
import { addPublish } from './events/publish.ts'

export function addTopicEvents(program: Command, words: Words): void {
  const events = program.command('events').description(words.sources.help.events.about).helpCommand(false)
  addPublish(events, words)
  addList(events, words)
  addFollow(events, words)
}
