import { Servers } from '../mcp/index.ts'
import type { Session } from './session.ts'

/** The servers of tools that the persona names and the phase leaves it, connected; undefined when there are none. */
export async function openSessionServers({
  deps,
  persona,
  agent,
  root,
  stop,
}: Session): Promise<Servers | undefined> {
  const asked = (persona.mcp ?? []).filter(({ name }) => agent.mcp === undefined || agent.mcp.includes(name))
  if (asked.length === 0) return undefined
  return await Servers.open(asked, {
    sandbox: deps.sandbox,
    configured: deps.servers,
    root,
    signal: stop.signal,
  })
}
