import type { JsonSchema, McpServer } from '@devflow/contracts'
import { checkValue } from '@devflow/definition'
import type { ToolCall, ToolSpec } from '../models/model.ts'
import { failed, type ToolContext, type ToolResult } from '../tools/index.ts'
import type { Server, ServerSetting } from './server.ts'

/** The servers of one session: started with it, ended with it. */
export class Servers {
  readonly specs: readonly ToolSpec[]
  readonly #servers: readonly Server[]

  private constructor(servers: readonly Server[]) {
    this.#servers = servers
    this.specs = servers.flatMap(({ tools }) => [...tools.values()].map(({ spec }) => spec))
  }

  /** Opens all of them, or none. Errors as for `Server.open`. */
  static async open(asked: readonly McpServer[], setting: ServerSetting): Promise<Servers> {
    // The protocol's package is large, and most sessions have no servers.
    const { Server } = await import('./server.ts')
    const opened = await Promise.allSettled(asked.map((server) => Server.open(server, setting)))
    const servers = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const fault = opened.find((result) => result.status === 'rejected')
    if (!fault) return new Servers(servers)
    await Promise.all(servers.map((server) => server.close()))
    throw fault.reason
  }

  has(name: string): boolean {
    return this.#servers.some(({ tools }) => tools.has(name))
  }

  /** Runs a call as the model made it; what is wrong with it is told, not thrown. */
  async run(
    call: Pick<ToolCall, 'name' | 'arguments'>,
    { signal, starting }: Pick<ToolContext, 'signal' | 'starting'>,
  ): Promise<ToolResult> {
    const server = this.#servers.find(({ tools }) => tools.has(call.name))
    const found = server?.tools.get(call.name)
    if (!server || !found) return failed(`there is no tool ${call.name}`)
    const args = parsed(call.arguments)
    if (typeof args !== 'object' || args === null || Array.isArray(args))
      return failed('the arguments are no JSON object')
    const faults = checkValue(found.spec.parameters as JsonSchema, args)
    if (faults.length > 0) {
      const list = faults.map(({ path, message }) => `- ${path}: ${message}`).join('\n')
      return failed(
        `the arguments are wrong:\n${list}\n${call.name} takes ${JSON.stringify(found.spec.parameters)}`,
      )
    }
    await starting?.()
    return await server.call(found.tool, args, signal)
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()))
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.trim() === '' ? '{}' : text)
  } catch {
    return undefined
  }
}
