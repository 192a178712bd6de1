import type { Delivery } from '@devflow/client'
import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { age } from '../../terminal/quantities.ts'
import type { Screen } from '../../terminal/screen.ts'
import { table } from '../../terminal/table.ts'

interface Flags {
  status?: Delivery['status']
  limit: number
  cursor?: string
}

export async function listDeliveries(id: string, query: Flags, command: Command): Promise<void> {
  const { json, screen, words, printJson, client } = invocationOf(command)
  const said = words.sources
  const page = await client().webhooks.deliveries(id, query)
  if (json) return printJson(page)
  screen.print(...(page.items.length > 0 ? lines(page.items, screen, words) : [said.noDeliveries]))
  if (page.nextCursor) screen.print(screen.palette.faint(said.more(page.nextCursor)))
}

function lines(
  deliveries: readonly Delivery[],
  screen: Screen,
  { sources: { columns, delivery } }: Words,
): string[] {
  return table(
    [
      { title: columns.delivery },
      { title: columns.type },
      { title: columns.run },
      { title: columns.state },
      { title: columns.attempts, align: 'right' },
      { title: columns.age, align: 'right' },
      { title: columns.answer, gives: true },
    ],
    deliveries.map((each) => [
      each.id,
      each.type,
      each.runId,
      { text: delivery[each.status], paint: each.status === 'dead' ? 'bad' : 'plain' },
      String(each.attempts),
      age(each.createdAt),
      each.error ?? (each.answered === undefined ? '' : String(each.answered)),
    ]),
    screen,
  )
}
