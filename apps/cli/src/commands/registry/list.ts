import { ENTRY_KINDS } from '@devflow/contracts/choices'
import { type Command, Option } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'
import { collect, pairIn } from '../values.ts'

export function addList(registry: Command, words: Words): void {
  const help = words.help.registry
  registry
    .command('list')
    .description(help.list)
    .addOption(new Option('--kind <kind>', help.kind).choices(ENTRY_KINDS))
    .option('--namespace <name>', help.namespace)
    .option('--meta <k=v>', help.meta, collect(pairIn(words)))
    .action(onDemand(async () => (await import('../../actions/registry/list.ts')).listEntries))
}
