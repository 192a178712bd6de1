import { type Endpoints, readEndpoints } from './endpoints.ts'

/**
 * Where the parts of the `devflow up` on this folder are, or undefined when none runs there. The lock is not asked: taking
 * it, if only for a moment, would be in the way of an `up` that is just starting.
 */
export function runningOn(dataDir: string): Endpoints | undefined {
  const endpoints = readEndpoints(dataDir)
  const { api, workers = [] } = endpoints?.pids ?? {}
  // The API may be on its way up again.
  return [api, ...workers].some((pid) => pid !== undefined && isAlive(pid)) ? endpoints : undefined
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
