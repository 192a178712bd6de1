import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'
import type { ResourceIn } from '../../sources/resource.ts'
import { table } from '../../terminal/table.ts'

export const listing =
  <Item extends { id: string }, Body>(resourceIn: ResourceIn<Item, Body>) =>
  async (_: object, command: Command): Promise<void> => {
    const { json, screen, words, printJson, client } = invocationOf(command)
    const resource = resourceIn(words)
    const items = await Array.fromAsync(resource.calls(client()).list({ limit: 500 }))
    if (json) return printJson({ items })
    const rows = items.map((item) => resource.row(item))
    screen.print(
      ...(items.length > 0 ? table(resource.columns, rows, screen) : [words.sources.none[resource.name]]),
    )
  }
