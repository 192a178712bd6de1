import { getBlob } from '@devflow/db'
import type pg from 'pg'

/** Lists kept parsed; each is at most 4 MB of JSON. */
const MOST_KEPT = 8

const kept = new Map<string, Promise<unknown[]>>()

/** The list a map goes over, fixed when the map was opened; kept parsed, since every item asks for it. */
export function itemsOf(pool: pg.Pool, run: string, sha256: string): Promise<unknown[]> {
  const key = `${run} ${sha256}`
  const known = kept.get(key) ?? read(pool, run, sha256)
  kept.delete(key)
  kept.set(key, known)
  known.catch(() => kept.delete(key))
  const [oldest] = kept.keys()
  if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest)
  return known
}

async function read(pool: pg.Pool, run: string, sha256: string): Promise<unknown[]> {
  const content = await getBlob(pool, run, sha256)
  return content === undefined ? [] : (JSON.parse(content.toString('utf8')) as unknown[])
}
