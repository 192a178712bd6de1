import { DevflowError } from '@devflow/contracts'
import { failureKind } from './database-errors.ts'

export interface Patience {
  /** How long to go on trying while Postgres is away, in ms. */
  patienceMs?: number
  /** Told at each failed try. */
  onAway?: (error: unknown) => void
}

const LONGEST_PAUSE_MS = 1_000

/**
 * Runs `work` again, with growing pauses, for as long as it fails because Postgres is away; every other failure is
 * thrown as it is. `work` must be safe to repeat. Rejects with UNAVAILABLE `database_away` when patience runs out.
 */
export async function patiently<T>(
  work: () => Promise<T>,
  { patienceMs, onAway }: Patience = {},
): Promise<T> {
  const started = performance.now()
  for (let pause = 20; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await work()
    } catch (error) {
      if (failureKind(error) !== 'transient') throw error
      if (performance.now() - started > (patienceMs ?? Number.POSITIVE_INFINITY)) {
        throw new DevflowError('UNAVAILABLE', 'database_away', 'Postgres did not answer in time.', {
          cause: error,
          retryAfter: 5,
        })
      }
      onAway?.(error)
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
}
