import { DevflowError, durationMs, type JsonSchema, type McpServer } from '@devflow/contracts'
import { checkSchema } from '@devflow/definition'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { CallToolResultSchema, McpError } from '@modelcontextprotocol/sdk/types.js'
import type { ToolSpec } from '../models/model.ts'
import type { Sandbox } from '../sandbox/index.ts'
import { boundedFetch } from './bounded-fetch.ts'
import { ChildTransport } from './child-transport.ts'
import { type ConfiguredServers, serverMeant } from './configured-server.ts'
import { resultText, shortened } from './result-text.ts'

const START_MS = 30_000
const DEFAULT_CALL_MS = 60_000
const MOST_PAGES = 20
const LONGEST_DESCRIPTION = 4_000
const LONGEST_WORDS = 1_000

export interface ServerSetting {
  sandbox: Sandbox
  configured: ConfiguredServers
  /** The clone of the session; its servers may read it. */
  root: string | undefined
  signal: AbortSignal
}

/** A server of tools, connected. */
export class Server {
  readonly name: string
  /** By the name that models call it by. */
  readonly tools: ReadonlyMap<string, { tool: string; spec: ToolSpec }>
  readonly #client: Client
  readonly #timeoutMs: number

  private constructor(asked: McpServer, client: Client, tools: Server['tools']) {
    this.name = asked.name
    this.tools = tools
    this.#client = client
    this.#timeoutMs = asked.timeout === undefined ? DEFAULT_CALL_MS : durationMs(asked.timeout)
  }

  /** Starts or reaches it, and reads its tools. Throws INVALID `unknown_mcp_server`, INTERNAL `mcp_server_failed`. */
  static async open(asked: McpServer, setting: ServerSetting): Promise<Server> {
    const transport = await transportTo(asked, setting)
    const client = new Client({ name: 'devflow', version: '1' })
    try {
      await client.connect(transport, { timeout: START_MS, signal: setting.signal })
      return new Server(asked, client, await allowedTools(client, asked, setting.signal))
    } catch (error) {
      await client.close()
      await transport.close()
      setting.signal.throwIfAborted()
      if (error instanceof DevflowError) throw error
      const words = transport instanceof ChildTransport ? transport.words.slice(-LONGEST_WORDS) : ''
      throw serverFailed(asked.name, `it could not be started: ${reasonOf(error)}${words && `\n${words}`}`)
    }
  }

  /** What the tool answers, or why it did not. Only an aborted signal throws. */
  async call(
    tool: string,
    args: object,
    signal: AbortSignal,
  ): Promise<{ ok: boolean; content: string; code?: string }> {
    try {
      const answer = await this.#client.callTool(
        { name: tool, arguments: args as Record<string, unknown> },
        CallToolResultSchema,
        { timeout: this.#timeoutMs, signal },
      )
      const result = CallToolResultSchema.parse(answer)
      return { ok: result.isError !== true, content: resultText(result) }
    } catch (error) {
      signal.throwIfAborted()
      return {
        ok: false,
        code: 'mcp_call_failed',
        content: `The server ${this.name} failed: ${reasonOf(error)}`,
      }
    }
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}

async function transportTo(asked: McpServer, setting: ServerSetting): Promise<Transport> {
  const { sandbox, configured, root } = setting
  const server = serverMeant(asked, configured)
  if ('url' in server) {
    const transport = new StreamableHTTPClientTransport(new URL(server.url), {
      requestInit: { headers: server.headers ?? {} },
      fetch: boundedFetch,
    })
    // Its types and the interface's differ in what may be undefined.
    return transport as Transport
  }
  if (sandbox.confinement.kind === 'unavailable')
    throw serverFailed(asked.name, `there is no sandbox to run it in: ${sandbox.confinement.reason}`)
  const { command: argv, network = false, env = {} } = server
  return new ChildTransport(await sandbox.start({ argv, network, env, reads: root }))
}

/** Its tools, as far as the persona allows them. One that is missing, or whose arguments cannot be checked, is an error. */
async function allowedTools(
  client: Client,
  { name, tools }: McpServer,
  signal: AbortSignal,
): Promise<Server['tools']> {
  const found = new Map<string, { tool: string; spec: ToolSpec }>()
  let cursor: string | undefined
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer = await client.listTools(cursor === undefined ? {} : { cursor }, {
      timeout: START_MS,
      signal,
    })
    for (const tool of answer.tools) {
      if (!tools.includes(tool.name)) continue
      const { $schema: _, ...parameters } = tool.inputSchema as JsonSchema
      const [fault] = checkSchema(parameters)
      if (fault)
        throw serverFailed(
          name,
          `the arguments of its tool ${tool.name} cannot be checked: ${fault.path}: ${fault.message}`,
        )
      const full = `${name}__${tool.name}`
      const description = shortened(tool.description ?? tool.title ?? tool.name, LONGEST_DESCRIPTION)
      found.set(full, { tool: tool.name, spec: { name: full, description, parameters } })
    }
    cursor = answer.nextCursor
    if (cursor === undefined) break
  }
  const missing = tools.filter((tool) => !found.has(`${name}__${tool}`))
  if (missing.length > 0) throw serverFailed(name, `it has no tool ${missing.join(', ')}`)
  return found
}

const serverFailed = (name: string, reason: string): DevflowError =>
  new DevflowError('INTERNAL', 'mcp_server_failed', `The MCP server ${name} cannot be used: ${reason}`)

/** A server's own words where it speaks the protocol; of anything else no more than its kind, as it may be any service. */
function reasonOf(error: unknown): string {
  if (error instanceof McpError) return shortened(error.message, LONGEST_WORDS)
  if (error instanceof Error && 'code' in error && typeof error.code === 'number')
    return `it answered with the status ${error.code}`
  return 'it could not be reached, or did not speak the protocol'
}
