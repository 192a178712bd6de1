import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { addPriceList } from './pricing/list.ts'
import { addPriceRefresh } from './pricing/refresh.ts'

export function addPricing(program: Command, words: Words): void {
  const pricing = program.command('pricing').description(words.help.pricing.about).helpCommand(false)
  addPriceList(pricing, words)
  addPriceRefresh(pricing, words)
}
