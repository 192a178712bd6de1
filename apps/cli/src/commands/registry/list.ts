import type { RegistryEntrySummary } from '@devflow/client'
import { ENTRY_KINDS, type EntryKind } from '@devflow/contracts'
import { type Command, Option } from 'commander'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import type { Screen } from '../../terminal/screen.ts'
import { table } from '../../terminal/table.ts'
import { collect, type Pair, pairIn } from '../values.ts'

interface Flags {
  kind?: EntryKind
  namespace?: string
  meta?: Pair[]
}

export function addList(registry: Command, words: Words): void {
  const help = words.help.registry
  registry
    .command('list')
    .description(help.list)
    .addOption(new Option('--kind <kind>', help.kind).choices(ENTRY_KINDS))
    .option('--namespace <name>', help.namespace)
    .option('--meta <k=v>', help.meta, collect(pairIn(words)))
    .action(async ({ meta, ...query }: Flags, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      const wanted = { ...query, ...(meta ? { meta: Object.fromEntries(meta) } : {}), limit: 200 }
      const items = await Array.fromAsync(client().registry.list(wanted))
      if (json) return printJson({ items })
      screen.print(...(items.length > 0 ? lines(items, screen, words) : [words.registry.none]))
    })
}

function lines(entries: readonly RegistryEntrySummary[], screen: Screen, { registry }: Words): string[] {
  const { columns, sources } = registry
  return table(
    [
      { title: columns.id, gives: true },
      { title: columns.kind },
      { title: columns.title, gives: true },
      { title: columns.source },
    ],
    entries.map(({ id, kind, title = '', source }) => [
      id,
      kind,
      title,
      { text: sources[source] ?? source, paint: 'faint' },
    ]),
    screen,
  )
}
