import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { lastCell, lastLine, onOff } from '../sources/occasion.ts'
import { addResource, only } from '../sources/resource.ts'

export function addTriggers(program: Command, words: Words): void {
  const { columns, last } = words.sources
  addResource(program.command('triggers'), words, {
    name: 'triggers',
    calls: (client) => client.triggers,
    columns: [
      { title: columns.id },
      { title: columns.topic, gives: true },
      { title: columns.template, gives: true },
      { title: columns.state },
      { title: columns.last, gives: true },
    ],
    row: (trigger) => [
      trigger.id,
      trigger.topic,
      trigger.submit.template,
      onOff(trigger.enabled, words),
      lastCell(trigger.last, words),
    ],
    body: (trigger) => only(trigger, 'topic', 'match', 'submit', 'enabled'),
    standing: (trigger) => (trigger.last ? [`${last}: ${lastLine(trigger.last, words)}`] : []),
  })
}
