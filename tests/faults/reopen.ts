import type { Kept } from './kept.ts'
import { Ambiguous, again, isSettled, type Running } from './running.ts'

/** A person retries: what failed has its next attempt, and what was cut off with it goes on, or is tried anew. */
export function reopen(running: Running, kept: Kept): void {
  if (running.status !== 'canceled') again(running, false)
  running.status = 'pending'
  running.roundAttempt = running.attempt
  for (const inner of [...running.groups.values()].flatMap(({ list }) => list)) {
    if (inner.loose) fasten(inner, kept)
    else if (inner.status === 'canceled' || (inner.status === 'failed' && !inner.step.continues))
      reopen(inner, kept)
  }
}

/** Done or cut off when another stopped it, by now it has come to the same; where it would have been done at its first attempt. */
function fasten(inner: Running, kept: Kept): void {
  const { step, status, attempt } = inner
  const isSession = step.kind === 'agent' || step.kind === 'function'
  const isFirst = attempt === 1 && (status !== 'failed' || step.attempts === undefined)
  if (!isSession || !isFirst || !isSettled(inner)) throw new Ambiguous()
  inner.loose = false
  kept.fasten(inner)
}
