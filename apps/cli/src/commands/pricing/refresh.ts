import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'

export function addPriceRefresh(pricing: Command, words: Words): void {
  pricing
    .command('refresh')
    .description(words.help.pricing.refresh)
    .action(onDemand(async () => (await import('../../actions/pricing/refresh.ts')).refreshPrices))
}
