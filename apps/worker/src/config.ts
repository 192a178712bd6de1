import { join } from 'node:path'
import { otel, parseConfig, tracingConfig, tracingSecrets } from '@devflow/process'
import { z } from 'zod'
import { COMMAND_VARIABLES, sandboxOptions, serverSecrets } from './command-config.ts'
import { FUNCTION_VARIABLES, functionOptions } from './function-config.ts'
import { PRICING_VARIABLES, pricingOf } from './pricing-config.ts'
import { PROVIDER_VARIABLES, providerSecrets, providersOf } from './provider-config.ts'
import { TERMINAL_VARIABLES, terminalSecrets, terminalsOf } from './terminal-config.ts'

const ms = (fallback: number) => z.coerce.number().int().positive().default(fallback)
const words = z
  .string()
  .transform((text) => text.split(/\s+/).filter(Boolean))
  .default([])
const folders = z
  .string()
  .transform((text) => text.split(text.includes(';') ? ';' : ':').filter(Boolean))
  .default([])

const Environment = z.object({
  DATABASE_URL: z
    .string()
    .url()
    .describe('the Postgres to keep runs in, as postgres://user:password@host:port/database'),
  TEMPORAL_ADDRESS: z.string().default('127.0.0.1:7233').describe('host:port of Temporal'),
  TEMPORAL_NAMESPACE: z.string().default('default').describe('a Temporal namespace'),
  DEVFLOW_PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('where people open the console, as in https://devflow.example'),
  DEVFLOW_DATA: z.string().default('.devflow').describe('a folder for clones and caches'),
  DEVFLOW_CACHE: z.string().optional().describe('a folder for what is built once'),
  DEVFLOW_WORKSPACE_ROOTS: folders.describe('folders under which repositories may lie'),
  DEVFLOW_WORKSPACE_URLS: words.describe('addresses of repositories that runs may name'),
  DEVFLOW_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('a log level of pino'),
  DEVFLOW_SESSIONS: ms(64).describe('how many agent sessions a worker runs at once'),
  DEVFLOW_CACHED_WORKFLOWS: ms(200).describe('how many workflows a worker keeps in memory'),
  DEVFLOW_HEARTBEAT_TIMEOUT_MS: ms(10_000).describe('after how long a silent session is taken over'),
  DEVFLOW_HEARTBEAT_INTERVAL_MS: ms(1_500).describe('how often a session beats'),
  DEVFLOW_IN_A_ROW_MS: ms(5_000).describe(
    "how old a session's activity may be to go on with the session that follows",
  ),
  DEVFLOW_STICKY_TIMEOUT_MS: ms(2_000).describe(
    'how long a workflow task waits for the worker that knows it',
  ),
  DEVFLOW_DRAIN_MS: ms(25_000).describe('how long a turn may go on once the worker shuts down'),
  DEVFLOW_CALL_BACKOFF_MS: ms(1_000).describe('the first pause before a failed model call is repeated'),
  DEVFLOW_CALL_PATIENCE_MS: ms(600_000).describe(
    'after how long a call whose cost nobody knows is charged its reservation',
  ),
  DEVFLOW_SWEEP_MS: ms(30_000).describe('how often runs without a workflow are looked for'),
  DEVFLOW_CHUNK_RETENTION_MS: ms(86_400_000).describe('how long streamed text stays after a run is over'),
  DEVFLOW_EVENT_RETENTION_MS: ms(30 * 86_400_000).describe(
    'how long events from outside stay, and what triggers made of them',
  ),
  DEVFLOW_WEBHOOK_PRIVATE_HOSTS: z
    .string()
    .default('')
    .describe('hosts that webhooks may reach on this machine or a private network, separated by commas'),
  DEVFLOW_WEBHOOK_PAUSES_MS: z
    .string()
    .regex(/^\d+(,\d+)*$/)
    .default('5000,300000,1800000,7200000,18000000,36000000,50400000,72000000,86400000')
    .describe('before each further attempt to tell a webhook; after the last one it is given up'),
  DEVFLOW_WEBHOOK_TIMEOUT_MS: ms(15_000).describe('how long the receiver of a webhook may take'),
  DEVFLOW_METRICS_HOST: z.string().default('127.0.0.1').describe('the address to serve figures on'),
  DEVFLOW_METRICS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('a port to serve figures on; 0 picks a free one'),
  DEVFLOW_SECRETS: z
    .string()
    .optional()
    .describe('further values to keep out of everything stored, separated by spaces'),
  DEVFLOW_FAULT_FILE: z.string().optional().describe('for crash tests only: a file that says where to die'),
  OTEL_EXPORTER_OTLP_ENDPOINT: otel.endpoint,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: otel.tracesEndpoint,
  OTEL_EXPORTER_OTLP_PROTOCOL: otel.protocol,
  OTEL_EXPORTER_OTLP_HEADERS: otel.headers,
  OTEL_SERVICE_NAME: otel.service,
  OTEL_RESOURCE_ATTRIBUTES: otel.attributes,
  OTEL_TRACES_SAMPLER: otel.sampler,
  OTEL_TRACES_SAMPLER_ARG: otel.ratio,
  OTEL_SDK_DISABLED: otel.disabled,
  OPENROUTER_API_KEY: z.string().optional().describe('a key of openrouter.ai'),
  OPENROUTER_BASE_URL: z.string().url().optional().describe('another address of the OpenRouter API'),
  OPENROUTER_STALL_MS: ms(120_000).describe('how long a reply may say nothing'),
  ...PRICING_VARIABLES,
  ...PROVIDER_VARIABLES,
  ...TERMINAL_VARIABLES,
  ...COMMAND_VARIABLES,
  ...FUNCTION_VARIABLES,
})

export type Config = ReturnType<typeof readConfig>

/** The worker's configuration; throws INVALID `bad_config` naming each variable and its fix. */
export function readConfig(env: NodeJS.ProcessEnv) {
  const given = parseConfig(Environment, env)
  const tracing = tracingConfig(given)
  const keys = [
    given.OPENROUTER_API_KEY,
    ...providerSecrets(given, env),
    ...terminalSecrets(given.DEVFLOW_TERMINALS, env),
    ...serverSecrets(given.DEVFLOW_MCP_SERVERS),
    new URL(given.DATABASE_URL).password,
    ...tracingSecrets(tracing),
  ]
  return {
    databaseUrl: given.DATABASE_URL,
    temporal: { address: given.TEMPORAL_ADDRESS, namespace: given.TEMPORAL_NAMESPACE },
    consoleUrl: given.DEVFLOW_PUBLIC_URL?.replace(/\/+$/, ''),
    dataDir: given.DEVFLOW_DATA,
    cacheDir: given.DEVFLOW_CACHE ?? join(given.DEVFLOW_DATA, 'cache'),
    workspaceRoots: [...given.DEVFLOW_WORKSPACE_ROOTS, ...given.DEVFLOW_WORKSPACE_URLS],
    sandbox: sandboxOptions(given),
    functions: functionOptions(given, env, { own: Object.keys(Environment.shape), secrets: keys }),
    servers: given.DEVFLOW_MCP_SERVERS,
    logLevel: given.DEVFLOW_LOG_LEVEL,
    sessions: given.DEVFLOW_SESSIONS,
    cachedWorkflows: given.DEVFLOW_CACHED_WORKFLOWS,
    stickyTimeoutMs: given.DEVFLOW_STICKY_TIMEOUT_MS,
    sweepMs: given.DEVFLOW_SWEEP_MS,
    chunkRetentionMs: given.DEVFLOW_CHUNK_RETENTION_MS,
    eventRetentionMs: given.DEVFLOW_EVENT_RETENTION_MS,
    webhooks: {
      privateHosts: given.DEVFLOW_WEBHOOK_PRIVATE_HOSTS.split(',').filter((host) => host !== ''),
      pausesMs: given.DEVFLOW_WEBHOOK_PAUSES_MS.split(',').map(Number),
      timeoutMs: given.DEVFLOW_WEBHOOK_TIMEOUT_MS,
    },
    times: {
      heartbeatTimeoutMs: given.DEVFLOW_HEARTBEAT_TIMEOUT_MS,
      heartbeatIntervalMs: given.DEVFLOW_HEARTBEAT_INTERVAL_MS,
      inARowMs: given.DEVFLOW_IN_A_ROW_MS,
      drainMs: given.DEVFLOW_DRAIN_MS,
      callBackoffMs: given.DEVFLOW_CALL_BACKOFF_MS,
      callPatienceMs: given.DEVFLOW_CALL_PATIENCE_MS,
    },
    pricing: pricingOf(given),
    ...providersOf(given, env),
    terminals: terminalsOf(given.DEVFLOW_TERMINALS, env),
    openrouter: {
      apiKey: given.OPENROUTER_API_KEY,
      baseURL: given.OPENROUTER_BASE_URL,
      progressTimeoutMs: given.OPENROUTER_STALL_MS,
    },
    tracing,
    /** Undefined: no figures are kept. */
    metrics:
      given.DEVFLOW_METRICS_PORT === undefined
        ? undefined
        : { host: given.DEVFLOW_METRICS_HOST, port: given.DEVFLOW_METRICS_PORT },
    faultFile: given.DEVFLOW_FAULT_FILE,
    secrets: [...keys, ...(given.DEVFLOW_SECRETS?.split(/\s+/) ?? [])].filter(
      (secret): secret is string => secret !== undefined && secret !== '',
    ),
  }
}
