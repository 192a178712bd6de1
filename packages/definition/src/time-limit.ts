import { types } from 'node:util'
import vm from 'node:vm'

/** What ran did not end in time; it was stopped in the middle. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError'
}

// V8 can stop running code only where it was entered through a script with a timeout: so the work, a function
// of this realm, is called from a one-line script. That stops endless loops and backtracking regexes alike.
const bench = vm.createContext({ work: undefined as (() => unknown) | undefined })
const script = new vm.Script('work()')

/** Times the limit: what a try may take at most on a machine that has too much to do. */
const MOST_WALL = 4

/**
 * Runs synchronous work and stops it after `ms` of processor time (0.15 ms of overhead). Throws TimeLimitError.
 * What V8 measures is wall time, and a process that is starved or frozen loses that without having used it: such work
 * is done again, with twice the time, so it must be repeatable.
 */
export function withinTime<T>(ms: number, work: () => T): T {
  for (let wall = ms; ; wall *= 2) {
    const before = process.threadCpuUsage()
    try {
      return run(wall, work)
    } catch (error) {
      if (!timedOut(error)) throw error
    }
    const { user, system } = process.threadCpuUsage(before)
    const usedMs = (user + system) / 1_000
    if (usedMs >= ms / 2 || wall >= MOST_WALL * ms) throw new TimeLimitError(`did not end within ${ms} ms`)
  }
}

function run<T>(ms: number, work: () => T): T {
  const outer = bench.work
  bench.work = work
  try {
    return script.runInContext(bench, { timeout: ms, displayErrors: false }) as T
  } finally {
    bench.work = outer
  }
}

function timedOut(error: unknown): boolean {
  // The error is of the script's realm, so `instanceof Error` does not hold.
  return types.isNativeError(error) && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}
