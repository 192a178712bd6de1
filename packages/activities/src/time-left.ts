import { durationMs, type Phase } from '@devflow/contracts'
import type { PhaseProgress, Progress } from '@devflow/db'
import type { Stop } from './session/stop.ts'

/** Node's timers end at 24.8 days; a phase that takes longer is looked at again by its next delivery. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * Ms until a phase's own `timeout`, which runs from its start on record, across deliveries and worker builds; all of it where
 * there is no start yet. Undefined where the phase has none.
 */
export function timeLeftSince(
  startedAt: Date | undefined,
  { timeout }: Phase,
  { now }: Progress,
): number | undefined {
  if (timeout === undefined) return undefined
  return durationMs(timeout) - (startedAt ? now.getTime() - startedAt.getTime() : 0)
}

/** Stops a session when the time of its phase is up. */
export function timeoutTimer(
  { node, at, progress }: { node: { phase: Phase }; at: PhaseProgress; progress: Progress },
  stop: Stop,
): NodeJS.Timeout | undefined {
  const left = timeLeftSince(at.startedAt, node.phase, progress)
  if (left === undefined || left > LONGEST_TIMER_MS) return undefined
  return setTimeout(() => stop.now('timeout'), Math.max(0, left))
}
