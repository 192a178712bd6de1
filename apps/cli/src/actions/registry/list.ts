import type { RegistryEntrySummary } from '@devflow/client'
import type { EntryKind } from '@devflow/contracts'
import type { Command } from 'commander'
import type { Pair } from '../../commands/values.ts'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import type { Screen } from '../../terminal/screen.ts'
import { table } from '../../terminal/table.ts'

interface Flags {
  kind?: EntryKind
  namespace?: string
  meta?: Pair[]
}

export async function listEntries({ meta, ...query }: Flags, command: Command): Promise<void> {
  const { json, screen, words, printJson, client } = invocationOf(command)
  const wanted = { ...query, ...(meta ? { meta: Object.fromEntries(meta) } : {}), limit: 200 }
  const items = await Array.fromAsync(client().registry.list(wanted))
  if (json) return printJson({ items })
  screen.print(...(items.length > 0 ? lines(items, screen, words) : [words.registry.none]))
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
