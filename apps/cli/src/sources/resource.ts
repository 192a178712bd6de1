import type { DevflowClient, Listing, PageQuery } from '@devflow/client'
import type { Words } from '../messages/words.ts'
import type { Cell, Column } from '../terminal/table.ts'

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

/** A resource as it is told in a language. */
export type ResourceIn<Item extends { id: string }, Body> = (words: Words) => Resource<Item, Body>
