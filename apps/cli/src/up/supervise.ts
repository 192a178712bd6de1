import { setTimeout as sleep } from 'node:timers/promises'
import type { Times } from './times.ts'

/** A running part of the stack. */
export interface Running {
  readonly pid: number
  /** Settles when it has ended, with a sentence saying how. */
  readonly exited: Promise<string>
  stop(graceMs: number): Promise<void>
  kill(): Promise<void>
}

export interface PartEvents<Part extends Running> {
  /** It runs: the first time, or again. */
  onRunning(part: Part): void
  /** It has ended by itself, or could not be started again; the next try comes after `inMs`. */
  onDown(how: string, inMs: number): void
}

export interface Supervised {
  /** Ends the part for good: in good order, or by kill -9 where `graceMs` is 0. */
  stop(graceMs: number): Promise<void>
}

/**
 * Starts a part and keeps it running: one that ends is started again, first at once, then after a growing wait, which
 * begins anew when it stayed up for a while. Rejects, once the first start fails: then nothing is kept running.
 */
export async function supervise<Part extends Running>(
  start: () => Promise<Part>,
  events: PartEvents<Part>,
  times: Pick<Times, 'restartMaxMs' | 'steadyMs'>,
): Promise<Supervised> {
  const stopping = new AbortController()
  const first = await start()
  let current: Part | undefined = first
  let starting: Promise<unknown> | undefined

  const keepRunning = async (): Promise<void> => {
    let failures = 0
    let startedAt = performance.now()
    events.onRunning(first)
    let how = await first.exited
    while (!stopping.signal.aborted) {
      current = undefined
      if (performance.now() - startedAt >= times.steadyMs) failures = 0
      const waitMs = backoff(failures++, times.restartMaxMs)
      events.onDown(how, waitMs)
      // Rejects when it is stopped meanwhile: the loop's condition sees that.
      await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return
      startedAt = performance.now()
      try {
        const begun = start()
        starting = begun
        current = await begun
        starting = undefined
        if (!stopping.signal.aborted) events.onRunning(current)
        how = await current.exited
      } catch (error) {
        how = error instanceof Error ? error.message : String(error)
      }
    }
  }

  const kept = keepRunning()
  return {
    stop: async (graceMs) => {
      stopping.abort()
      await starting?.catch(() => {})
      await (graceMs === 0 ? current?.kill() : current?.stop(graceMs))
      await kept
    },
  }
}

/** Nothing the first time, then 100 ms, doubled each time up to the longest. */
const backoff = (failures: number, longestMs: number): number =>
  failures === 0 ? 0 : Math.min(longestMs, 100 * 2 ** (failures - 1))
