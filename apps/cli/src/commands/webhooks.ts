import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { addResource } from '../sources/add-resource.ts'
import { addDeliveries } from './webhooks/deliveries.ts'
import { addReplay } from './webhooks/replay.ts'
import { addSecret } from './webhooks/secret.ts'

export function addWebhooks(program: Command, words: Words): void {
  const webhooks = program.command('webhooks')
  addResource(webhooks, words, 'webhooks', async () => (await import('../sources/webhooks.ts')).webhooksIn)
  addDeliveries(webhooks, words)
  addReplay(webhooks, words)
  addSecret(webhooks, words)
}
