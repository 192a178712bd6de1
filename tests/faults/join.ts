import type { Kept } from './kept.ts'
import { Ambiguous, type Ending, Failed, type Group, mayPass, type Running, withInside } from './running.ts'

/** What groups side by side come to together: the first that fails stops the others wherever they are. */
export function join(
  running: Running,
  groups: readonly Group[],
  failsWithOne: boolean,
  kept: Kept,
): Exclude<Ending, object> {
  const ends = groups.filter(({ ending }) => ending !== 'done')
  const failures = ends.flatMap(({ ending }) => (typeof ending === 'object' ? [ending.failed] : []))
  const cut = ends.map(({ ending }) => ending).find((ending) => typeof ending === 'string')
  if (cut !== undefined && ends.length > 1) throw new Ambiguous()
  if (cut === undefined && (failures.length === 0 || !failsWithOne)) return 'done'
  for (const group of groups) {
    const isSure = groups.length === 1 || (ends.length === 1 && group === ends[0])
    if (!isSure) for (const inner of group.list.flatMap(withInside)) inner.loose = true
  }
  kept.loosen()
  if (cut !== undefined) return cut
  const possible = failures.flatMap((inner) => inner.failures)
  if (running.step.attempts && new Set(possible.map((one) => mayPass([one]))).size > 1) throw new Ambiguous()
  throw new Failed(...possible)
}
