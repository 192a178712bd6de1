import { USUAL_NICE } from '@devflow/local-stack/give-way'
import { parseConfig } from '@devflow/process/config'
import { z } from 'zod'
import { type KeyProvider, variableSet } from './keys/providers.ts'
import { LANGUAGES } from './messages/languages.ts'

const ms = (byDefault: number) =>
  z.coerce.number().int().min(1).default(byDefault).describe('a whole number of milliseconds')

const key = z.string().optional()

const Schema = z.object({
  DATABASE_URL: z
    .url()
    .optional()
    .describe(
      'the address of a running Postgres 15 to 18, as in postgres://user:password@host:5432/database',
    ),
  TEMPORAL_ADDRESS: z.string().optional().describe('the address of a running Temporal, as in 127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: z.string().default('default').describe('the name of a namespace'),
  OPENROUTER_API_KEY: key,
  OPENAI_API_KEY: key,
  ANTHROPIC_API_KEY: key,
  GOOGLE_API_KEY: key,
  GEMINI_API_KEY: key,
  OLLAMA_HOST: key,
  OLLAMA_API_KEY: key,
  DEVFLOW_URL: z.url().optional().describe('the address of the API, as in http://127.0.0.1:8787'),
  DEVFLOW_TOKEN: z.string().optional(),
  DEVFLOW_LANG: z.enum(LANGUAGES).default('en').describe(LANGUAGES.join(' or ')),
  TERM: z.string().optional(),
  npm_command: z.string().optional(),
  DEVFLOW_CACHE: z.string().optional().describe('a folder for downloads and built tools'),
  DEVFLOW_PING_INTERVAL_MS: ms(2_000),
  DEVFLOW_PING_TIMEOUT_MS: ms(10_000),
  DEVFLOW_DRAIN_MS: ms(30_000),
  DEVFLOW_RESTART_MAX_MS: ms(5_000),
  DEVFLOW_STEADY_MS: ms(10_000),
  DEVFLOW_NICE: z.coerce
    .number()
    .int()
    .min(0)
    .max(19)
    .default(USUAL_NICE)
    .describe('a whole number from 0 to 19'),
  PATH: z.string().default(''),
  DEVFLOW_UNSANDBOXED_COMMANDS: z.string().optional(),
  DEVFLOW_KEYRING: z.enum(['on', 'off']).default('on').describe('on or off'),
  XDG_CONFIG_HOME: z.string().optional(),
})

/** Addresses of servers of chat completions: the default one's, and those of named ones. */
const SERVER = /^OPENAI_COMPATIBLE_(?:[A-Z][A-Z0-9_]*_)?BASE_URL$/

export type Config = ReturnType<typeof readConfig>

/** The one place where this app reads the environment. Throws `INVALID bad_config`. */
export function readConfig(env: NodeJS.ProcessEnv) {
  const config = parseConfig(Schema, env)
  return {
    databaseUrl: config.DATABASE_URL,
    temporalAddress: config.TEMPORAL_ADDRESS,
    temporalNamespace: config.TEMPORAL_NAMESPACE,
    hasModelKey: config.OPENROUTER_API_KEY !== undefined,
    modelProviders: modelProvidersOf(config, env),
    /** The variable of the environment that a provider's key is set by. */
    keySetBy: (provider: KeyProvider) => variableSet(env, provider),
    /** `devflow login` may keep keys in the operating system's keyring. */
    usesKeyring: config.DEVFLOW_KEYRING === 'on',
    configHome: config.XDG_CONFIG_HOME,
    url: config.DEVFLOW_URL,
    /** For calls to the API where it asks for one. */
    token: config.DEVFLOW_TOKEN,
    language: config.DEVFLOW_LANG,
    /** Run by npm or npx, this program is on the PATH of its own process alone. */
    program: config.npm_command === undefined ? 'devflow' : 'npx devflow',
    /** A terminal that cannot move its cursor is written to line by line. */
    canDraw: config.TERM !== 'dumb',
    cache: config.DEVFLOW_CACHE,
    times: {
      pingIntervalMs: config.DEVFLOW_PING_INTERVAL_MS,
      pingTimeoutMs: config.DEVFLOW_PING_TIMEOUT_MS,
      drainMs: config.DEVFLOW_DRAIN_MS,
      restartMaxMs: config.DEVFLOW_RESTART_MAX_MS,
      steadyMs: config.DEVFLOW_STEADY_MS,
    },
    /** How far worker and Temporal go behind API and Postgres when all want the processors. */
    nice: config.DEVFLOW_NICE,
    path: config.PATH,
    /** Of workers that are not started by `devflow up`. */
    unsandboxedCommands: ['true', '1'].includes(config.DEVFLOW_UNSANDBOXED_COMMANDS ?? ''),
    /** Handed on to children whole: their provider keys and DEVFLOW_* settings are in it. */
    env,
  }
}

/** The same with keys that were kept. Where their variables are set the environment is not asked for them: see `findKeys`. */
export const withKeys = (config: Config, keys: Readonly<Record<string, string>>): Config =>
  readConfig({ ...config.env, ...keys })

/** The providers whose key, or whose address where they need no key, is set. */
function modelProvidersOf(config: z.infer<typeof Schema>, env: NodeJS.ProcessEnv): string[] {
  const isServed = Object.entries(env).some(([name, value]) => SERVER.test(name) && value)
  const set = {
    openrouter: config.OPENROUTER_API_KEY,
    openai: config.OPENAI_API_KEY,
    anthropic: config.ANTHROPIC_API_KEY,
    google: config.GOOGLE_API_KEY ?? config.GEMINI_API_KEY,
    ollama: config.OLLAMA_HOST ?? config.OLLAMA_API_KEY,
    'openai-compatible': isServed,
  }
  return Object.entries(set).flatMap(([provider, value]) => (value ? [provider] : []))
}
