import type { PutWebhook, Webhook } from '@devflow/client'
import type { Words } from '../messages/words.ts'
import { onOff } from './occasion.ts'
import { only } from './only.ts'
import type { Resource } from './resource.ts'

export function webhooksIn(words: Words): Resource<Webhook, PutWebhook> {
  const said = words.sources
  const { columns } = said
  return {
    name: 'webhooks',
    calls: (client) => client.webhooks,
    columns: [
      { title: columns.id },
      { title: columns.url, gives: true },
      { title: columns.events, gives: true },
      { title: columns.state },
      { title: columns.pending, align: 'right' },
      { title: columns.dead, align: 'right' },
    ],
    row: (webhook) => [
      webhook.id,
      webhook.url,
      webhook.events.join(','),
      onOff(webhook.enabled, words),
      String(webhook.pending),
      webhook.dead > 0 ? { text: String(webhook.dead), paint: 'bad' } : '0',
    ],
    body: (webhook) => only(webhook, 'url', 'events', 'template', 'labels', 'enabled'),
    standing: ({ offBecause, pending, dead }) => [
      ...(offBecause === undefined ? [] : [`${said.states.off}: ${offBecause}`]),
      said.deliveries(pending, dead),
    ],
    onceMade: ({ secret }) => (secret === undefined ? [] : [said.secret(secret)]),
  }
}
