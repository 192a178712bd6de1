import { createHash } from 'node:crypto'

const LONGEST = 60

/**
 * What an agent says of what it was shown, short and for all to compute: so each value goes on through the run, and one
 * that was lost or is another shows in what is made of it.
 */
export function echoOf(see: unknown, more: Record<string, unknown>): string {
  const text = JSON.stringify(sorted({ see, ...more }))
  return text.length <= LONGEST
    ? text
    : `${text.slice(0, LONGEST)}…${createHash('sha256').update(text).digest('hex').slice(0, 8)}`
}

/** What the n-th agent that was asked for help says. */
export const helpOf = (see: unknown, n: number): string => echoOf(see, { helper: n })

/** A value as it reads in a prompt: text that is JSON counts as what it holds. */
export function readBack(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

/** With the fields of objects in order: Postgres keeps them in its own. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, part]) => [name, sorted(part)]),
  )
}
