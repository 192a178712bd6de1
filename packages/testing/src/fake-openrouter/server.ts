import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { playAgent } from './agent.ts'
import { answer, receive } from './chat.ts'
import { ERRORS } from './errors.ts'
import type { FakeHandler } from './handler.ts'
import { type ModelList, sendModels } from './models.ts'
import { type RecordedRequest, Recorder } from './recorder.ts'
import type { ChatBody } from './reply.ts'

export interface FakeOpenRouter {
  readonly port: number
  /** What clients take as the base URL: `http://127.0.0.1:<port>/api/v1`. */
  readonly baseURL: string
  readonly requests: readonly RecordedRequest[]
  /** The generations that were looked up, in order, each time anew; a 404 counts too. */
  readonly looks: readonly string[]
  /** From now on this handler answers. The one at the start is `playAgent`. */
  script(handler: FakeHandler): void
  /** How many looks at `/generation` answer 404 before the first 200, where a reply does not say. Default 0. */
  generationMisses(misses: number): void
  /** What is left of the key's own limit from now on, in USD; null, as at the start: it has none. */
  keyRemaining(usd: number | null): void
  /** How often `/key` was asked for. */
  readonly keyLooks: number
  /** What `/models` answers from now on; undefined: the list of what it bills by. */
  listModels(answer: ModelList | undefined): void
  /** How often `/models` was asked for. */
  readonly listings: number
  billedMicroUsd(): number
  waitForRequests(count: number, timeoutMs?: number): Promise<void>
  /** Waits until the condition holds, looked at after every change; rejects after `timeoutMs` (10 s). */
  waitFor(holds: (requests: readonly RecordedRequest[]) => boolean, timeoutMs?: number): Promise<void>
  /** Drops every connection and forgets nothing. */
  close(): Promise<void>
}

/** Starts a local stand-in for OpenRouter on 127.0.0.1. Port 0, the default, takes a free one. */
export async function startFakeOpenRouter(
  options: { port?: number; handler?: FakeHandler } = {},
): Promise<FakeOpenRouter> {
  const recorder = new Recorder()
  let handler: FakeHandler = options.handler ?? playAgent
  let misses = 0
  let limitRemaining: number | null = null
  let keyLooks = 0
  let list: ModelList | undefined
  let listings = 0

  const server = createServer((request, response) => {
    route(request, response).catch((failure: unknown) => {
      if (!response.headersSent) respond(response, 500, { error: { code: 500, message: String(failure) } })
      else response.destroy()
    })
  })

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake')
    if (url.pathname === '/_fake/requests') {
      const session = url.searchParams.get('session') ?? ''
      respond(response, 200, shown(recorder, { session, bodies: url.searchParams.has('bodies') }))
      return
    }
    if (url.pathname === '/api/v1/models' && request.method === 'GET') {
      listings += 1
      recorder.changed()
      await sendModels(response, list)
      return
    }
    if (!request.headers.authorization?.startsWith('Bearer ')) {
      respond(response, 401, ERRORS['401']().body)
      return
    }
    switch (`${request.method} ${url.pathname}`) {
      case 'POST /api/v1/chat/completions': {
        const body = (await json(request)) as ChatBody
        const seen = receive(request, body, recorder)
        const record = recorder.requests[seen.n - 1] as RecordedRequest
        await answer(response, record, await handler(seen), recorder, misses)
        return
      }
      case 'GET /api/v1/generation':
        respond(response, ...generation(recorder, url.searchParams.get('id') ?? ''))
        return
      case 'GET /api/v1/key':
        keyLooks += 1
        respond(response, 200, {
          data: {
            label: 'sk-or-v1-fake',
            limit: limitRemaining === null ? null : 10,
            limit_remaining: limitRemaining,
            limit_reset: limitRemaining === null ? null : 'monthly',
            usage: recorder.billedUsd().toNumber(),
            is_free_tier: false,
          },
        })
        return
      default:
        respond(response, 404, { error: { code: 404, message: 'Not Found' } })
    }
  }

  await listen(server, options.port ?? 0)
  const { port } = server.address() as AddressInfo
  return {
    port,
    baseURL: `http://127.0.0.1:${port}/api/v1`,
    requests: recorder.requests,
    looks: recorder.looks,
    get listings() {
      return listings
    },
    listModels(next) {
      list = next
    },
    script(next) {
      handler = next
    },
    generationMisses(next) {
      misses = next
    },
    keyRemaining(usd) {
      limitRemaining = usd
    },
    get keyLooks() {
      return keyLooks
    },
    billedMicroUsd: () => recorder.billedMicroUsd(),
    waitForRequests: (count, timeoutMs = 10_000) =>
      recorder.waitFor(() => recorder.requests.length >= count, timeoutMs),
    waitFor: (holds, timeoutMs = 10_000) => recorder.waitFor(() => holds(recorder.requests), timeoutMs),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()))
        server.closeAllConnections()
      }),
  }
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })

function respond(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

function generation(recorder: Recorder, id: string): [number, unknown] {
  const found = recorder.look(id)
  if (!found) return [404, { error: { code: 404, message: `Generation ${id} not found` } }]
  const { record, settled } = found
  const body = {
    data: {
      id,
      model: settled.modelUsed,
      provider_name: settled.provider,
      created_at: new Date(record.at).toISOString(),
      streamed: record.body.stream === true,
      cancelled: record.abortedAt !== undefined,
      finish_reason: settled.finish,
      total_cost: '@total',
      usage: '@total',
      tokens_prompt: settled.promptTokens,
      tokens_completion: settled.completionTokens,
      native_tokens_prompt: settled.promptTokens,
      native_tokens_completion: settled.completionTokens,
      native_tokens_cached: settled.cachedTokens,
      native_tokens_reasoning: 0,
      is_byok: false,
      session_id: record.session === '' ? null : record.session,
    },
  }
  return [200, JSON.stringify(body).replaceAll('"@total"', settled.usd.toString())]
}

function shown(recorder: Recorder, { session, bodies }: { session: string; bodies: boolean }): unknown {
  const requests = recorder.requests.filter((request) => request.session.startsWith(session))
  return {
    billedMicroUsd: recorder.billedMicroUsd(),
    requests: requests.map(({ body, headers, ...request }) => ({
      ...request,
      messages: body.messages.length,
      assistantTurns: body.messages.filter(({ role }) => role === 'assistant').length,
      ...(bodies ? { body, headers } : {}),
    })),
  }
}
