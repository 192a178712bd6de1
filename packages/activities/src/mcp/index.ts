// Law: tools of servers that speak the Model Context Protocol. Knows sandboxes and addresses, neither runs nor the log.
export { ConfiguredServer, type ConfiguredServers } from './configured-server.ts'
export { Servers } from './servers.ts'
