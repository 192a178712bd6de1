import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { Exchange } from './exchange.ts'

export interface Player {
  /** What clients take as the base URL. */
  readonly baseURL: string
  /** The bodies of the requests that came. */
  readonly requests: readonly unknown[]
  close(): Promise<void>
}

/**
 * Answers as the provider did: to the same method and path in the order of the recording, whatever the request says, and
 * without the waits. Then, and for all else, 404.
 */
export async function startPlayer(exchanges: readonly Exchange[]): Promise<Player> {
  const left = [...exchanges]
  const requests: unknown[] = []
  const server = createServer((request, response) => {
    void (async () => {
      if (request.method === 'POST') requests.push(await json(request))
      const at = left.findIndex(
        ({ request: { method, path } }) => method === request.method && path === request.url,
      )
      const [exchange] = at === -1 ? [] : left.splice(at, 1)
      if (exchange) return play(exchange, response)
      response.writeHead(404, { 'content-type': 'application/json' })
      response.end('{"error":{"code":404,"message":"not in the recording"}}')
    })().catch((failure: unknown) => response.destroy(failure as Error))
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
  return {
    baseURL: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()))
        server.closeAllConnections()
      }),
  }
}

async function play({ response: { status, headers, pieces, end } }: Exchange, to: ServerResponse) {
  // Nothing came at all: the connection was lost.
  if (status === 0) return to.destroy()
  to.writeHead(status, headers)
  to.flushHeaders()
  // What was written is on its way before the connection is dropped.
  for (const { text } of pieces)
    await new Promise<void>((resolve, reject) =>
      to.write(text, (error) => (error ? reject(error) : resolve())),
    )
  return end === 'cut' ? to.destroy() : to.end()
}
