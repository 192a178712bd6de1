import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { type ClientOptions, DevflowClient, type Retry } from './index.ts'

/** A request as it came in. */
export interface Seen {
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: string
  /** Resolves when the client is gone or has all of its answer. */
  over: Promise<void>
}

export type Play = (response: ServerResponse, seen: Seen) => void

export interface FaultyServer {
  url: string
  port: number
  seen: Seen[]
  /** Tries made again. */
  retries: Retry[]
  /** A client of it that wastes no time between tries. */
  client: DevflowClient
  clientWith(options: ClientOptions): DevflowClient
  stop(): Promise<void>
}

/** Between two tries, in these tests. */
export const QUICK = { minDelayMs: 2, maxDelayMs: 8 }

/** An HTTP server that plays one answer a request, the last one over and over; stopped when the test is finished. */
export async function faultyServer(plays: Play[], port = 0): Promise<FaultyServer> {
  const seen: Seen[] = []
  const sockets = new Set<Socket>()
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part
    const { method = '', url = '', headers } = request
    const over = new Promise<void>((resolve) => response.once('close', resolve))
    const one = { method, url, headers, body, over }
    seen.push(one)
    plays[Math.min(seen.length, plays.length) - 1]?.(response, one)
  })
  server.on('connection', (socket) => sockets.add(socket.once('close', () => sockets.delete(socket))))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  const url = `http://127.0.0.1:${address.port}`
  const stop = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  onTestFinished(stop)
  const retries: Retry[] = []
  const clientWith = ({ retry, ...options }: ClientOptions) =>
    new DevflowClient({
      baseUrl: url,
      retry: { ...QUICK, ...retry },
      onRetry: (retry) => retries.push(retry),
      ...options,
    })
  return { url, port: address.port, seen, retries, client: clientWith({}), clientWith, stop }
}

/** A JSON answer. */
export const answer =
  (status: number, body: unknown, headers: Record<string, string> = {}): Play =>
  (response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body))

/** An answer of something that is not the API. */
export const page =
  (status: number, text: string, type = 'text/html'): Play =>
  (response) =>
    void response.writeHead(status, { 'content-type': type }).end(text)

/** A problem as the API answers it. */
export const problem = (
  status: number,
  kind: string,
  code: string,
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Play =>
  answer(
    status,
    {
      type: `urn:devflow:problem:${code}`,
      title: 'x',
      status,
      detail: `It is ${code}.`,
      kind,
      code,
      ...more,
    },
    { 'content-type': 'application/problem+json', ...headers },
  )

/** Closes the connection at once. */
export const reset: Play = (response) => response.socket?.resetAndDestroy()

/** Half of an answer, then nothing more. */
export const breakOff: Play = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
  response.write('{"items":[', () => response.socket?.destroy())
}

/** Never answers. */
export const hang: Play = () => {}

/** Headers of a stream, its beginning, and then nothing: it stays open unless `then` says otherwise. */
export const stream =
  (text: string | Uint8Array, then: 'stay' | 'end' | 'break' = 'stay'): Play =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    response.flushHeaders()
    const next = {
      stay: () => {},
      end: () => response.end(),
      break: () => response.socket?.destroy(),
    }[then]
    if (text.length === 0) next()
    else response.write(text, next)
  }
