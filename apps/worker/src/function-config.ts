import { resolve } from 'node:path'
import type { PoolOptions } from '@devflow/activities'
import { z } from 'zod'

const positive = (fallback: number) => z.coerce.number().int().positive().default(fallback)

/** What an operator says of functions. */
export const FUNCTION_VARIABLES = {
  DEVFLOW_FUNCTION_PROCESSES: positive(16).describe('how many processes of functions a worker keeps at once'),
  DEVFLOW_FUNCTION_MEMORY_MB: positive(256).describe('how much memory a function may use'),
  DEVFLOW_FUNCTION_IDLE_MS: positive(60_000).describe(
    'how long a process waits for the next call of its function',
  ),
}

type Given = { [K in keyof typeof FUNCTION_VARIABLES]: z.infer<(typeof FUNCTION_VARIABLES)[K]> }

/**
 * What functions run with. They get no variable of the worker's own (`own`), by whatever name a key of it goes (`secrets`),
 * and nothing of the folders it lives in.
 */
export function functionOptions(
  given: Given & { DEVFLOW_DATA: string; DEVFLOW_CACHE?: string | undefined },
  env: NodeJS.ProcessEnv,
  { own, secrets }: { own: readonly string[]; secrets: readonly (string | undefined)[] },
): Omit<PoolOptions, 'sandbox'> {
  const keys = new Set(secrets.filter((secret) => secret !== undefined && secret !== ''))
  const hidden = Object.keys(env).filter((name) => name.startsWith('DEVFLOW_') || keys.has(env[name]))
  const folders = [given.DEVFLOW_DATA, given.DEVFLOW_CACHE ?? given.DEVFLOW_DATA]
  return {
    most: given.DEVFLOW_FUNCTION_PROCESSES,
    memoryMb: given.DEVFLOW_FUNCTION_MEMORY_MB,
    idleMs: given.DEVFLOW_FUNCTION_IDLE_MS,
    environment: env,
    withheld: { env: new Set([...own, ...hidden]), folders: folders.map((folder) => resolve(folder)) },
  }
}
