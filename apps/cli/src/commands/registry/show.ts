import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'

export function addShow(registry: Command, words: Words): void {
  const { registry: help, arguments: named } = words.help
  registry
    .command('show')
    .description(help.show)
    .argument('<id>', named.entry)
    .action(onDemand(async () => (await import('../../actions/registry/show.ts')).showEntry))
}
