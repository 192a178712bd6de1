import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'
import type { ResourceIn } from '../../sources/resource.ts'

export const deleting =
  <Item extends { id: string }, Body>(resourceIn: ResourceIn<Item, Body>) =>
  async (id: string, _: object, command: Command): Promise<void> => {
    const { json, screen, words, printJson, client } = invocationOf(command)
    const resource = resourceIn(words)
    await resource.calls(client()).delete(id)
    if (json) return printJson({ id, deleted: true })
    screen.print(words.sources.deleted(id))
  }
