import { DELIVERY_STATUSES } from '@devflow/contracts/choices'
import { type Command, Option } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'
import { wholeIn } from '../values.ts'

export function addDeliveries(webhooks: Command, words: Words): void {
  const said = words.sources
  const { help } = said
  webhooks
    .command('deliveries')
    .description(help.webhooks.deliveries)
    .argument('<id>', help.id)
    .addOption(new Option('--status <status>', help.webhooks.status).choices(DELIVERY_STATUSES))
    .option('--limit <count>', help.limit, wholeIn(words, 1, 500), 20)
    .option('--cursor <cursor>', help.cursor)
    .action(onDemand(async () => (await import('../../actions/webhooks/deliveries.ts')).listDeliveries))
}
