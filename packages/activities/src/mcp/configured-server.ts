import { DevflowError, type McpServer } from '@devflow/contracts'
import { z } from 'zod'

const Values = z.record(z.string(), z.string())

/**
 * A server as the operator configures it, who alone may give one a network, an environment and the headers that sign
 * its requests.
 */
export const ConfiguredServer = z.union([
  z.strictObject({
    command: z.array(z.string().min(1)).min(1),
    /** The machine's network, loopback included. */
    network: z.boolean().optional(),
    env: Values.optional(),
  }),
  z.strictObject({ url: z.url({ protocol: /^https?$/ }), headers: Values.optional() }),
])
export type ConfiguredServer = z.infer<typeof ConfiguredServer>

/** By name. */
export type ConfiguredServers = Readonly<Record<string, ConfiguredServer>>

/** What a persona means: its own command or address, which gets none of the operator's secrets, or the operator's. */
export function serverMeant(asked: McpServer, configured: ConfiguredServers): ConfiguredServer {
  if (asked.command) return { command: asked.command }
  if (asked.url) return { url: asked.url }
  const server = Object.hasOwn(configured, asked.name) ? configured[asked.name] : undefined
  if (server) return server
  const known = Object.keys(configured).join(', ') || 'none'
  throw new DevflowError(
    'INVALID',
    'unknown_mcp_server',
    `The persona names the MCP server ${asked.name} without a command or url, and this worker has none of that name in DEVFLOW_MCP_SERVERS; it has: ${known}.`,
  )
}
