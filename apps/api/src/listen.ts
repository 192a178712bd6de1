import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Api } from './operation.ts'
import { problemResponse } from './problems.ts'

export interface Listening {
  port: number
  /** Takes no more requests, and resolves when those under way are answered. */
  close(): Promise<void>
}

const MALFORMED = {
  kind: 'INVALID',
  code: 'malformed_request',
  status: 400,
  detail: 'This is no request that HTTP/1.1 allows.',
} as const

/** Serves the API on a port. Rejects when the address cannot be taken. */
export async function listen(api: Api, { host, port }: { host: string; port: number }): Promise<Listening> {
  const server = createServer(getRequestListener(api.fetch, { errorHandler: malformed }))
  server.on('clientError', (_, socket) => {
    if (socket.writable)
      void malformed()
        .text()
        .then((body) => socket.end(rawAnswer(body)))
    else socket.destroy()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return { port: (server.address() as AddressInfo).port, close: () => close(server) }
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // Connections without a request under way would keep the server open for as long as clients like.
  server.closeIdleConnections()
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  await closed
  clearInterval(sweep)
}

/** What cannot even be made a request of, such as a Host that is no host. */
function malformed(): Response {
  return problemResponse(MALFORMED, { instance: '/', traceId: crypto.randomUUID() })
}

function rawAnswer(body: string): string {
  const head = ['HTTP/1.1 400 Bad Request', 'content-type: application/problem+json', 'connection: close']
  return `${head.join('\r\n')}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}
