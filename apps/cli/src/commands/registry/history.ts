import type { RegistryVersion } from '@devflow/client'
import type { Command } from 'commander'
import { MARKS } from '../../entries/planned-changes.ts'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import type { Screen } from '../../terminal/screen.ts'
import { table } from '../../terminal/table.ts'
import { wholeIn } from '../values.ts'

interface Flags {
  limit: number
  cursor?: string
}

export function addHistory(registry: Command, words: Words): void {
  const help = words.help.registry
  registry
    .command('history')
    .description(help.history)
    .option('--limit <count>', help.limit, wholeIn(words, 1, 200), 20)
    .option('--cursor <cursor>', help.cursor)
    .action(async (query: Flags, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      const page = await client().registry.versions(query)
      if (json) return printJson(page)
      const { noHistory, moreVersions } = words.registry
      screen.print(...(page.items.length > 0 ? lines(page.items, screen, words) : [noHistory]))
      if (page.nextCursor) screen.print(screen.palette.faint(moreVersions(page.nextCursor)))
    })
}

function lines(versions: readonly RegistryVersion[], screen: Screen, { registry }: Words): string[] {
  const { columns, restoredFrom } = registry
  return table(
    [
      { title: columns.version, align: 'right' },
      { title: columns.at },
      { title: columns.by },
      { title: columns.changes, gives: true },
    ],
    versions.map(({ version, at, actor, restoredFrom: from, changes }) => [
      String(version),
      { text: at, paint: 'faint' },
      actor,
      [
        ...(from === undefined ? [] : [restoredFrom(from)]),
        ...changes.map(({ op, id }) => `${MARKS[op].mark} ${id}`),
      ].join(', '),
    ]),
    screen,
  )
}
