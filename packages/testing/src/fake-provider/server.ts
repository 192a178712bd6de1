import { EventEmitter } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Frame, ProviderReply } from './reply.ts'
import { play } from './wire.ts'

/** One request as it came; times are epoch milliseconds. */
export interface ProviderRequest<Body> {
  n: number
  /** The id that the answer bears. */
  id: string
  path: string
  body: Body
  headers: IncomingHttpHeaders
  at: number
  /** Bytes of the answer that the system took so far: it stands still while the client does not read. */
  sentBytes: number
  /** When the client was seen to have gone before the end. */
  abortedAt?: number
  finishedAt?: number
}

type ProviderHandler<Body> = (request: ProviderRequest<Body>) => ProviderReply | Promise<ProviderReply>

/** How one provider speaks. */
export interface Dialect<Body> {
  contentType: string
  newId: (n: number) => string
  /** An answer that refuses the request before anybody is asked: a path, a key, a body the provider would not take. */
  refuse(request: ProviderRequest<Body>): { status: number; body: unknown } | undefined
  frames(request: ProviderRequest<Body>, reply: ProviderReply): Frame[]
  errorFrame: string
  keepAlive?: string
  headers?(request: ProviderRequest<Body>): Record<string, string>
}

export interface FakeProvider<Body> {
  readonly port: number
  /** `http://127.0.0.1:<port>` */
  readonly baseURL: string
  readonly requests: readonly ProviderRequest<Body>[]
  /** From now on this handler answers. The one at the start says that all is well. */
  script(handler: ProviderHandler<Body>): void
  /** Resolves once the condition holds, looked at after every change; rejects after `timeoutMs` (10 s). */
  waitFor(holds: (requests: readonly ProviderRequest<Body>[]) => boolean, timeoutMs?: number): Promise<void>
  /** Drops every connection. */
  close(): Promise<void>
}

/** A local stand-in for a provider, on 127.0.0.1 and a free port. */
export async function startFakeProvider<Body>(dialect: Dialect<Body>): Promise<FakeProvider<Body>> {
  const requests: ProviderRequest<Body>[] = []
  const changes = new EventEmitter().setMaxListeners(0)
  let handler: ProviderHandler<Body> = () => ({ text: 'Hello 👋, all is well.' })

  const server = createServer((incoming, response) => {
    receive(incoming, response).catch((failure: unknown) => {
      if (!response.headersSent) respond(response, 500, { error: String(failure) })
      else response.destroy()
    })
  })

  async function receive(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const n = requests.length + 1
    const request: ProviderRequest<Body> = {
      n,
      id: dialect.newId(n),
      path: incoming.url ?? '/',
      body: (await json(incoming)) as Body,
      headers: incoming.headers,
      at: Date.now(),
      sentBytes: 0,
    }
    requests.push(request)
    changes.emit('change')
    const gone = new AbortController()
    response.on('close', () => {
      if (request.finishedAt === undefined) request.abortedAt = Date.now()
      gone.abort()
      changes.emit('change')
    })
    const refused = dialect.refuse(request)
    if (refused) return finish(request, response, () => respond(response, refused.status, refused.body))
    const reply = await handler(request)
    try {
      if (reply.delayMs) await sleep(reply.delayMs, undefined, { signal: gone.signal })
      const { error } = reply
      if (error)
        return finish(request, response, () => respond(response, error.status, error.body, error.headers))
      response.writeHead(200, {
        'content-type': dialect.contentType,
        ...dialect.headers?.(request),
      })
      response.flushHeaders()
      const whole = await play(response, {
        frames:
          reply.frames?.map((text) => ({ part: 'text' as const, text })) ?? dialect.frames(request, reply),
        flaw: reply.flaw,
        errorFrame: dialect.errorFrame,
        keepAlive: dialect.keepAlive,
        chunkDelayMs: reply.chunkDelayMs ?? 0,
        gone: gone.signal,
        onBytes: (count) => {
          request.sentBytes += count
        },
      })
      if (whole && !gone.signal.aborted) request.finishedAt = Date.now()
      changes.emit('change')
    } catch (failure) {
      if (!gone.signal.aborted) throw failure
    }
  }

  function finish(request: ProviderRequest<Body>, response: ServerResponse, send: () => void): void {
    send()
    response.on('finish', () => {
      request.finishedAt = Date.now()
      changes.emit('change')
    })
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    baseURL: `http://127.0.0.1:${port}`,
    requests,
    script(next) {
      handler = next
    },
    waitFor: (holds, timeoutMs = 10_000) => until(changes, () => holds(requests), timeoutMs),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()))
        server.closeAllConnections()
      }),
  }
}

function respond(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const text = typeof body === 'string'
  response.writeHead(status, { 'content-type': text ? 'text/html' : 'application/json', ...headers })
  response.end(text ? body : JSON.stringify(body))
}

function until(changes: EventEmitter, holds: () => boolean, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      clearTimeout(timer)
      changes.off('change', look)
      end()
    }
    const look = () => {
      if (holds()) settle(resolve)
    }
    const timer = setTimeout(
      () => settle(() => reject(new Error(`not so within ${timeoutMs} ms`))),
      timeoutMs,
    )
    changes.on('change', look)
    look()
  })
}
