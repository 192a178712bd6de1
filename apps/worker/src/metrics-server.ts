import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isLoopback } from '@devflow/process'
import type { Registry } from '@devflow/process/metrics'

/** Workers of one machine that were given one port take the first free one from it on. */
const PORTS_TRIED = 16

export interface MetricsServer {
  port: number
  close(): Promise<void>
}

/** Serves `GET /metrics`, and nothing else. Rejects when no port of those that may be tried is free. */
export async function serveMetrics(registry: Registry, host: string, port: number): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const isAsked = request.method === 'GET' && request.url?.split('?')[0] === '/metrics'
    // A page that had its own name resolve to this machine asks under that name.
    if (!isAsked || (isLoopback(host) && !isLoopback(hostOf(request.headers.host)))) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('There is only GET /metrics here.\n')
      return
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500, { 'content-type': 'text/plain' }).end(`${String(error)}\n`),
    )
  })
  for (let next = port; ; next += 1) {
    try {
      return { port: await listening(server, host, next), close: () => closed(server) }
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      if (!isTaken || port === 0 || next + 1 >= port + PORTS_TRIED || next >= 65_535) throw error
    }
  }
}

async function listening(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return (server.address() as AddressInfo).port
}

async function closed(server: Server): Promise<void> {
  const over = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await over
}

function hostOf(header = ''): string {
  return URL.canParse(`http://${header}`)
    ? new URL(`http://${header}`).hostname.replace(/^\[(.*)\]$/, '$1')
    : ''
}
