import type { DevflowClient, Listing, PageQuery } from '@devflow/client'
import { DevflowError } from '@devflow/contracts'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import { type EntryDocument, readEntries } from '../entries/entry-files.ts'
import { MARKS } from '../entries/planned-changes.ts'
import { invocationOf } from '../invocation.ts'
import type { Words } from '../messages/words.ts'
import { harmless } from '../terminal/fit.ts'
import { type Cell, type Column, table } from '../terminal/table.ts'

/** What starts runs or is told of them, and is made by files: triggers, schedules, webhooks. */
export interface Resource<Item extends { id: string }, Body> {
  name: 'triggers' | 'schedules' | 'webhooks'
  calls(client: DevflowClient): {
    list(query: PageQuery): Listing<Item>
    get(id: string): Promise<Item>
    put(id: string, body: Body): Promise<Item>
    delete(id: string): Promise<void>
  }
  columns: Column[]
  row(item: Item): Cell[]
  /** What `apply` takes. */
  body(item: Item): object
  /** How it stands, a line each, beside what `apply` takes. */
  standing(item: Item): string[]
  /** What is to be told once it is made, and at no other time. */
  onceMade?(item: Item): string[]
}

/** `list`, `show`, `apply` and `delete` of a resource, under its command. */
export function addResource<Item extends { id: string }, Body>(
  commands: Command,
  words: Words,
  resource: Resource<Item, Body>,
): void {
  const said = words.sources
  const help = said.help[resource.name]
  commands.description(help.about).helpCommand(false)
  commands
    .command('list')
    .description(help.list)
    .action(async (_: object, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      const items = await Array.fromAsync(resource.calls(client()).list({ limit: 500 }))
      if (json) return printJson({ items })
      const rows = items.map((item) => resource.row(item))
      screen.print(...(items.length > 0 ? table(resource.columns, rows, screen) : [said.none[resource.name]]))
    })
  commands
    .command('show')
    .description(help.show)
    .argument('<id>', said.help.id)
    .action(async (id: string, _: object, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      const item = await resource.calls(client()).get(id)
      if (json) return printJson(item)
      // Comments, so that all of it is YAML that `apply` takes.
      const standing = resource.standing(item).map((line) => screen.palette.faint(`# ${line}`))
      const yaml = stringify({ id: item.id, ...resource.body(item) }, { lineWidth: 0 })
      screen.print(...standing, harmless(yaml).trimEnd())
    })
  commands
    .command('apply')
    .description(help.apply)
    .argument('<files...>', said.help.files)
    .action(async (files: string[], _: object, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      const documents = readEntries(files, words, said.notOne)
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
    })
  commands
    .command('delete')
    .description(help.delete)
    .argument('<id>', said.help.id)
    .action(async (id: string, _: object, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      await resource.calls(client()).delete(id)
      if (json) return printJson({ id, deleted: true })
      screen.print(said.deleted(id))
    })
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

/** The fields of an item that `apply` takes, as far as it has them. */
export function only<Item extends object>(item: Item, ...fields: (keyof Item)[]): object {
  return Object.fromEntries(
    fields.filter((field) => item[field] !== undefined).map((field) => [field, item[field]]),
  )
}
