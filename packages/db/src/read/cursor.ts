import { DevflowError } from '@devflow/contracts'
import { z } from 'zod'

/** A place in a list, opaque to clients: base64url of the sort key of the last item shown. */
function cursorOf(key: readonly (string | number | number[])[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url')
}

/** The sort key in a cursor. Throws DevflowError INVALID `bad_cursor` for anything `cursorOf` has not made. */
export function keyOfCursor<Key extends z.ZodTuple>(cursor: string, shape: Key): z.output<Key> {
  const refusal = new DevflowError('INVALID', 'bad_cursor', 'The cursor is not one of this list.', {
    errors: [{ path: 'cursor', message: 'expected a nextCursor of this list' }],
  })
  let key: unknown
  try {
    key = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    throw refusal
  }
  const parsed = shape.safeParse(key)
  if (!parsed.success) throw refusal
  return parsed.data
}

/** Text that Postgres takes as a value. */
export const CursorText = z
  .string()
  .max(500)
  .refine((text) => text.isWellFormed() && !text.includes('\u0000'))

/** A page: `rows` holds one more than `limit` when there is a next one. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
  key: (row: Row) => readonly (string | number | number[])[],
): Page<Item> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(item),
    ...(rows.length > limit && last !== undefined ? { nextCursor: cursorOf(key(last)) } : {}),
  }
}

/** Every list: items, and where to go on when there are more. */
export interface Page<Item> {
  items: Item[]
  nextCursor?: string
}
