import { PROVIDERS } from '@devflow/contracts/choices'
import { type Command, Option } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'

export function addPriceList(pricing: Command, words: Words): void {
  const help = words.help.pricing
  pricing
    .command('list', { isDefault: true })
    .description(help.list)
    .addOption(new Option('--provider <name>', help.provider).choices(PROVIDERS))
    .option('--model <text>', help.model)
    .action(onDemand(async () => (await import('../../actions/pricing/list.ts')).listPrices))
}
