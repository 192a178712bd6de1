import { delimiter } from 'node:path'
import { DevflowError } from '@devflow/contracts'
import {
  type Environment,
  isLoopback,
  otel,
  parseConfig,
  SHORTEST_TOKEN,
  type TracingConfig,
  tracingConfig,
  tracingSecrets,
} from '@devflow/process'
import { z } from 'zod'

/** Folders in one variable, as PATH holds them. */
const Folders = z.string().transform((text) => text.split(delimiter).filter((folder) => folder !== ''))

const ms = (value: number) => z.coerce.number().int().positive().default(value)
const key = z.string().optional()

const Variables = z.object({
  DATABASE_URL: z.url().describe('the address of Postgres, as in postgres://user:password@host/database'),
  TEMPORAL_ADDRESS: z.string().default('127.0.0.1:7233').describe('host:port of the Temporal server'),
  TEMPORAL_NAMESPACE: z.string().default('default').describe('a Temporal namespace'),
  DEVFLOW_HOST: z.string().default('127.0.0.1').describe('the address to listen on'),
  DEVFLOW_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(8787)
    .describe('a port; 0 picks a free one'),
  DEVFLOW_ENTRIES: Folders.default([]).describe('folders of entries beside the catalog'),
  DEVFLOW_WORKSPACE_ROOTS: Folders.default([]).describe(
    'folders that may hold repositories; the current one when empty',
  ),
  DEVFLOW_WORKSPACE_URLS: z
    .string()
    .transform((text) => text.split(/\s+/).filter(Boolean))
    .default([])
    .describe('addresses of repositories that runs may name'),
  DEVFLOW_TOKEN: z
    .string()
    .min(SHORTEST_TOKEN, { error: `shorter than ${SHORTEST_TOKEN} characters` })
    .optional()
    .describe(`a secret of at least ${SHORTEST_TOKEN} characters`),
  DEVFLOW_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('a log level of pino'),
  DEVFLOW_HEARTBEAT_MS: ms(15_000).describe('milliseconds between the heartbeats of a stream'),
  DEVFLOW_DRAIN_MS: ms(10_000).describe('milliseconds the process may take to end'),
  DEVFLOW_MAX_BODY_BYTES: ms(1024 * 1024).describe('bytes the body of a request may have'),
  DEVFLOW_SECRETS: z
    .string()
    .optional()
    .describe('further values to keep out of everything stored, separated by spaces'),
  OTEL_EXPORTER_OTLP_ENDPOINT: otel.endpoint,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: otel.tracesEndpoint,
  OTEL_EXPORTER_OTLP_PROTOCOL: otel.protocol,
  OTEL_EXPORTER_OTLP_HEADERS: otel.headers,
  OTEL_SERVICE_NAME: otel.service,
  OTEL_RESOURCE_ATTRIBUTES: otel.attributes,
  OTEL_TRACES_SAMPLER: otel.sampler,
  OTEL_TRACES_SAMPLER_ARG: otel.ratio,
  OTEL_SDK_DISABLED: otel.disabled,
  OPENROUTER_API_KEY: key,
  OPENAI_API_KEY: key,
  ANTHROPIC_API_KEY: key,
  GOOGLE_API_KEY: key,
  GEMINI_API_KEY: key,
})

export interface Config {
  databaseUrl: string
  temporal: { address: string; namespace: string }
  host: string
  port: number
  entries: string[]
  workspaceRoots: string[]
  token: string | undefined
  logLevel: string
  heartbeatMs: number
  drainMs: number
  maxBodyBytes: number
  /** Undefined: no traces are made. */
  tracing: TracingConfig | undefined
  /** Providers for which a key is at hand. The keys themselves are only known to the scrubber. */
  keys: ReadonlySet<string>
  /** Values that are never shown nor stored (I8). */
  secrets: string[]
}

/** Reads the environment. Throws DevflowError INVALID `bad_config` or `token_required`, naming variable and fix. */
export function readConfig(env: Environment, folder: string): Config {
  const read = parseConfig(Variables, env)
  const keys = {
    openrouter: read.OPENROUTER_API_KEY,
    openai: read.OPENAI_API_KEY,
    anthropic: read.ANTHROPIC_API_KEY,
    google: read.GOOGLE_API_KEY ?? read.GEMINI_API_KEY,
  }
  if (!isLoopback(read.DEVFLOW_HOST) && !read.DEVFLOW_TOKEN) {
    const message = `DEVFLOW_HOST is ${read.DEVFLOW_HOST}, which others can reach: set DEVFLOW_TOKEN, or listen on 127.0.0.1`
    throw new DevflowError('INVALID', 'token_required', message)
  }
  const tracing = tracingConfig(read)
  const secrets = [
    ...Object.values(keys),
    read.GEMINI_API_KEY,
    read.DEVFLOW_TOKEN,
    passwordOf(read.DATABASE_URL),
    ...(read.DEVFLOW_SECRETS?.split(' ') ?? []),
    ...tracingSecrets(tracing),
  ]
  return {
    databaseUrl: read.DATABASE_URL,
    temporal: { address: read.TEMPORAL_ADDRESS, namespace: read.TEMPORAL_NAMESPACE },
    host: read.DEVFLOW_HOST,
    port: read.DEVFLOW_PORT,
    entries: read.DEVFLOW_ENTRIES,
    workspaceRoots: [
      ...(read.DEVFLOW_WORKSPACE_ROOTS.length > 0
        ? read.DEVFLOW_WORKSPACE_ROOTS
        : [folder, ...read.DEVFLOW_ENTRIES]),
      ...read.DEVFLOW_WORKSPACE_URLS,
    ],
    token: read.DEVFLOW_TOKEN,
    logLevel: read.DEVFLOW_LOG_LEVEL,
    heartbeatMs: read.DEVFLOW_HEARTBEAT_MS,
    drainMs: read.DEVFLOW_DRAIN_MS,
    maxBodyBytes: read.DEVFLOW_MAX_BODY_BYTES,
    tracing,
    keys: new Set(Object.entries(keys).flatMap(([provider, value]) => (value ? [provider] : []))),
    secrets: secrets.filter((secret) => secret !== undefined),
  }
}

function passwordOf(url: string): string | undefined {
  const { password } = new URL(url)
  return password === '' ? undefined : decodeURIComponent(password)
}
