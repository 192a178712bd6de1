import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** Whom a command is inside its sandbox. */
export interface Identity {
  uid: number
  /** The worker is root and gives the command a user of its own; otherwise a user namespace maps the worker's. */
  drops: boolean
}

/** As which user commands of a worker that is not root see themselves. */
const MAPPED_UID = 1000

/** Numbers that no distribution gives to anybody; the second for containers that have but 65,536 of them. */
const FREE_RANGES = [
  { first: 1_879_048_192, count: 2 ** 24 },
  { first: 60_578, count: 600 },
] as const

/**
 * Root's commands run as a user of their own for each working directory: without a right to what belongs to root, to
 * other sessions or to anybody else, and with process limits that the kernel keeps.
 */
export function identityFor(root: string): Identity {
  if (process.geteuid?.() !== 0) return { uid: MAPPED_UID, drops: false }
  range ??= usableRange()
  const number = createHash('sha256').update(root).digest().readUInt32BE()
  return { uid: range.first + (number % range.count), drops: true }
}

let range: (typeof FREE_RANGES)[number] | undefined

/** In a user namespace, as of a rootless container, only some numbers exist. */
function usableRange(): (typeof FREE_RANGES)[number] {
  const mapped = readFileSync('/proc/self/uid_map', 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const holds = (uid: number) =>
    mapped.some(([first = 0, , count = 0]) => uid >= first && uid < first + count)
  const [wide, narrow] = FREE_RANGES
  return holds(wide.first + wide.count - 1) ? wide : narrow
}
