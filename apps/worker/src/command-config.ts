import { ConfiguredServer, type ConfiguredServers, type SandboxOptions } from '@devflow/activities'
import { z } from 'zod'

const MiB = 1024 * 1024
const positive = (fallback: number) => z.coerce.number().int().positive().default(fallback)
const flag = z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0', ''] }).default(false)

/** What an operator says of the commands that agents run. */
export const COMMAND_VARIABLES = {
  PATH: z.string().default('/usr/bin:/bin').describe('where bubblewrap is looked for'),
  DEVFLOW_UNSANDBOXED_COMMANDS: flag.describe('true lets commands run where bubblewrap is missing'),
  DEVFLOW_COMMAND_TIMEOUT_MS: positive(300_000).describe('how long a command of an agent may take'),
  DEVFLOW_COMMAND_MEMORY_MB: positive(2048).describe('how much memory a command of an agent may use'),
  DEVFLOW_WORKSPACE_MB: positive(8192).describe('how large the working directory of a session may grow'),
  DEVFLOW_COMMAND_PATHS: z
    .string()
    .transform((text) => text.split(':').filter(Boolean))
    .pipe(z.array(z.string().startsWith('/', { error: 'expected absolute paths' })))
    .default([])
    .describe('files and folders that commands may read beside the system’s'),
  DEVFLOW_MCP_SERVERS: z
    .string()
    .default('{}')
    .transform(readJson)
    .pipe(z.record(z.string(), ConfiguredServer))
    .describe('MCP servers by name, as a JSON object of {command, network?, env?} or {url, headers?}'),
}

/** What is set for servers is for them alone. */
export const serverSecrets = (servers: ConfiguredServers): string[] =>
  Object.values(servers).flatMap((server) =>
    Object.values(('url' in server ? server.headers : server.env) ?? {}),
  )

function readJson(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text)
  } catch {
    context.addIssue({ code: 'custom', message: 'expected JSON' })
    return z.NEVER
  }
}

export function sandboxOptions(
  given: {
    [K in keyof typeof COMMAND_VARIABLES]: z.infer<(typeof COMMAND_VARIABLES)[K]>
  },
): SandboxOptions {
  return {
    path: given.PATH,
    readOnly: given.DEVFLOW_COMMAND_PATHS,
    unsandboxed: given.DEVFLOW_UNSANDBOXED_COMMANDS,
    limits: {
      timeoutMs: given.DEVFLOW_COMMAND_TIMEOUT_MS,
      memoryBytes: given.DEVFLOW_COMMAND_MEMORY_MB * MiB,
      workspaceBytes: given.DEVFLOW_WORKSPACE_MB * MiB,
    },
  }
}
