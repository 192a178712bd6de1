import { getBlob, LARGEST_INLINE_BODY, putBlob } from '@devflow/db'
import type pg from 'pg'

/** What stands in the log for an output that is large, or could be taken for such a reference. */
interface Reference {
  $blob: string
  bytes: number
}

/** A function's output as events and projections hold it. */
export async function storedOutput(pool: pg.Pool, run: string, output: unknown): Promise<unknown> {
  const text = JSON.stringify(output)
  const bytes = Buffer.byteLength(text)
  if (bytes < LARGEST_INLINE_BODY / 2 && !isReference(output)) return output
  return { $blob: await putBlob(pool, run, text), bytes } satisfies Reference
}

/** The output itself. */
export async function loadedOutput(pool: pg.Pool, run: string, stored: unknown): Promise<unknown> {
  if (!isReference(stored)) return stored ?? null
  const content = await getBlob(pool, run, stored.$blob)
  return content === undefined ? null : (JSON.parse(content.toString('utf8')) as unknown)
}

function isReference(value: unknown): value is Reference {
  return value !== null && typeof value === 'object' && '$blob' in value
}
