import type { RegistryVersion } from '@devflow/client'
import type { Command } from 'commander'
import { MARKS } from '../../entries/change-lines.ts'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import type { Screen } from '../../terminal/screen.ts'
import { table } from '../../terminal/table.ts'

interface Flags {
  limit: number
  cursor?: string
}

export async function listVersions(query: Flags, command: Command): Promise<void> {
  const { json, screen, words, printJson, client } = invocationOf(command)
  const page = await client().registry.versions(query)
  if (json) return printJson(page)
  const { noHistory, moreVersions } = words.registry
  screen.print(...(page.items.length > 0 ? lines(page.items, screen, words) : [noHistory]))
  if (page.nextCursor) screen.print(screen.palette.faint(moreVersions(page.nextCursor)))
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
