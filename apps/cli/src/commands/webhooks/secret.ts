import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'

export function addSecret(webhooks: Command, words: Words): void {
  const said = words.sources
  const { help } = said
  webhooks
    .command('secret')
    .description(help.webhooks.secret)
    .argument('<id>', help.id)
    .action(onDemand(async () => (await import('../../actions/webhooks/secret.ts')).renewSecret))
}
