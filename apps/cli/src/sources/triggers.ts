import type { PutTrigger, Trigger } from '@devflow/client'
import type { Words } from '../messages/words.ts'
import { lastCell, lastLine, onOff } from './occasion.ts'
import { only } from './only.ts'
import type { Resource } from './resource.ts'

export function triggersIn(words: Words): Resource<Trigger, PutTrigger> {
  const { columns, last } = words.sources
  return {
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
  }
}
