import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { onOff } from '../sources/occasion.ts'
import { addResource, only } from '../sources/resource.ts'
import { addDeliveries } from './webhooks/deliveries.ts'
import { addReplay } from './webhooks/replay.ts'
import { addSecret } from './webhooks/secret.ts'

export function addWebhooks(program: Command, words: Words): void {
  const said = words.sources
  const { columns } = said
  const webhooks = program.command('webhooks')
  addResource(webhooks, words, {
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
  })
  addDeliveries(webhooks, words)
  addReplay(webhooks, words)
  addSecret(webhooks, words)
}
