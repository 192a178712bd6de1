import type { Page } from '@devflow/db'
import { stringify } from 'csv-stringify/sync'
import type { Context } from 'hono'
import { prefers } from './accept.ts'

export const CSV = 'text/csv'

/** How a list is answered as CSV, for its operation's description. */
export const CSV_NOTE =
  'With `Accept: text/csv` all items come in one answer, whatever `limit` and `cursor` say: a line each under a line of field names, empty where a field is absent. Text that a spreadsheet would take for a formula has an apostrophe before it.'

export const wantsCsv = (c: Context): boolean => prefers(c.req.header('accept'), CSV)

/** A whole list as CSV (RFC 4180), a page at a time. What the first page throws is thrown; a later failure cuts the answer off. */
export async function csvResponse<Item extends object>(
  c: Context,
  { name, columns }: { name: string; columns: readonly (keyof Item & string)[] },
  read: (cursor: string | undefined) => Promise<Page<Item>>,
): Promise<Response> {
  const linesOf = (items: readonly Item[], header = false) =>
    new TextEncoder().encode(
      stringify([...items], {
        header,
        columns: [...columns],
        record_delimiter: 'windows',
        escape_formulas: true,
        cast: { boolean: String },
      }),
    )
  const first = await read(undefined)
  let next = first.nextCursor
  const body = new ReadableStream<Uint8Array>({
    start: (stream) => {
      stream.enqueue(linesOf(first.items, true))
      if (next === undefined) stream.close()
    },
    pull: async (stream) => {
      const page = await read(next)
      next = page.nextCursor
      stream.enqueue(linesOf(page.items))
      if (next === undefined) stream.close()
    },
  })
  c.header('content-type', `${CSV}; charset=utf-8; header=present`)
  c.header('content-disposition', `attachment; filename="${name}.csv"`)
  return c.body(body)
}
