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

/**
 * Runs synchronous work and stops it after `ms` of wall time (0.15 ms of overhead). Throws TimeLimitError.
 * A process that was frozen in the middle loses its time without having used it: such work gets a second
 * chance, so the work must be repeatable.
 */
export function withinTime<T>(ms: number, work: () => T): T {
  try {
    return run(ms, work)
  } catch (error) {
    if (!timedOut(error)) throw error
  }
  try {
    return run(ms, work)
  } catch (error) {
    if (timedOut(error)) throw new TimeLimitError(`did not end within ${ms} ms`)
    throw error
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
