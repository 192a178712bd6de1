import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'

export function addReplay(webhooks: Command, words: Words): void {
  const said = words.sources
  const { help } = said
  webhooks
    .command('replay')
    .description(help.webhooks.replay)
    .argument('<id>', help.id)
    .argument('[delivery]', help.webhooks.delivery)
    .action(onDemand(async () => (await import('../../actions/webhooks/replay.ts')).replayDeliveries))
}
