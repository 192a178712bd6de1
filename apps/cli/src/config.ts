import { parseConfig } from '@devflow/process'
import { z } from 'zod'

const ms = (byDefault: number) =>
  z.coerce.number().int().min(1).default(byDefault).describe('a whole number of milliseconds')

const Schema = z.object({
  DATABASE_URL: z
    .url()
    .optional()
    .describe(
      'the address of a running Postgres 15 to 18, as in postgres://user:password@host:5432/database',
    ),
  TEMPORAL_ADDRESS: z.string().optional().describe('the address of a running Temporal, as in 127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: z.string().default('default').describe('the name of a namespace'),
  OPENROUTER_API_KEY: z.string().optional(),
  DEVFLOW_TOKEN: z.string().optional(),
  DEVFLOW_CACHE: z.string().optional().describe('a folder for downloads and built tools'),
  DEVFLOW_PING_INTERVAL_MS: ms(2_000),
  DEVFLOW_PING_TIMEOUT_MS: ms(10_000),
  DEVFLOW_DRAIN_MS: ms(30_000),
  DEVFLOW_RESTART_MAX_MS: ms(5_000),
  DEVFLOW_STEADY_MS: ms(10_000),
  PATH: z.string().default(''),
})

export type Config = ReturnType<typeof readConfig>

/** The one place where this app reads the environment. Throws `INVALID bad_config`. */
export function readConfig(env: NodeJS.ProcessEnv) {
  const config = parseConfig(Schema, env)
  return {
    databaseUrl: config.DATABASE_URL,
    temporalAddress: config.TEMPORAL_ADDRESS,
    temporalNamespace: config.TEMPORAL_NAMESPACE,
    hasModelKey: config.OPENROUTER_API_KEY !== undefined,
    /** For calls to the API where it asks for one. */
    token: config.DEVFLOW_TOKEN,
    cache: config.DEVFLOW_CACHE,
    times: {
      pingIntervalMs: config.DEVFLOW_PING_INTERVAL_MS,
      pingTimeoutMs: config.DEVFLOW_PING_TIMEOUT_MS,
      drainMs: config.DEVFLOW_DRAIN_MS,
      restartMaxMs: config.DEVFLOW_RESTART_MAX_MS,
      steadyMs: config.DEVFLOW_STEADY_MS,
    },
    path: config.PATH,
    /** Handed on to children whole: their provider keys and DEVFLOW_* settings are in it. */
    env,
  }
}
