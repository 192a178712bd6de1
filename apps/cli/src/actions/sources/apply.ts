import { DevflowError } from '@devflow/contracts'
import type { Command } from 'commander'
import { MARKS } from '../../entries/change-lines.ts'
import { type EntryDocument, readEntries } from '../../entries/entry-files.ts'
import { invocationOf } from '../../invocation.ts'
import type { ResourceIn } from '../../sources/resource.ts'

export const applying =
  <Item extends { id: string }, Body>(resourceIn: ResourceIn<Item, Body>) =>
  async (files: string[], _: object, command: Command): Promise<void> => {
    const { json, screen, words, printJson, client } = invocationOf(command)
    const resource = resourceIn(words)
    const documents = readEntries(files, words, words.sources.notOne)
    const calls = resource.calls(client())
    const there = new Set((await Array.fromAsync(calls.list({ limit: 500 }))).map(({ id }) => id))
    const applied: Item[] = []
    for (const document of documents) {
      const item = await put(document, (id, body: Body) => calls.put(id, body))
      applied.push(item)
      if (json) continue
      const { mark, paint } = MARKS[there.has(item.id) ? 'update' : 'create']
      screen.print(`${screen.palette[paint](mark)} ${item.id}`, ...(resource.onceMade?.(item) ?? []))
    }
    if (json) printJson({ applied })
  }

/** What is refused is told by file and line; what stands before it in the files is made. */
async function put<Item, Body>(
  { id, entry, place }: EntryDocument,
  call: (id: string, body: Body) => Promise<Item>,
): Promise<Item> {
  const { id: _, ...body } = entry
  try {
    // What it must hold the API says.
    return await call(id, body as Body)
  } catch (error) {
    if (!(error instanceof DevflowError) || error.kind !== 'INVALID') throw error
    throw new DevflowError(error.kind, error.code, `${place}: ${error.message}`)
  }
}
