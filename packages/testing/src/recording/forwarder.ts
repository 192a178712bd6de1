import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { costUsdIn, type Exchange, type Piece, textOf } from './exchange.ts'
import { type Price, pricesIn, Spending } from './spending.ts'

export interface Forwarder {
  /** What clients take as the base URL. */
  readonly baseURL: string
  /** Every exchange so far, in the order of their requests; unscrubbed. */
  readonly exchanges: readonly Exchange[]
  /** What the provider said that it billed. */
  billedMicroUsd(): number
  /** Calls of which the provider did not say what they cost. */
  unknownCosts(): number
  /** The first reason for which a call was not sent on. */
  readonly refused: string | undefined
  /** Drops every connection; from then on the exchanges are all there are. */
  close(): Promise<void>
}

export interface ForwarderOptions {
  /** `https://openrouter.ai/api/v1`. */
  upstream: string
  /** No call is sent on that might bring the sum of all above this. */
  limitMicroUsd: number
}

/** Headers of answers that say something of the exchange and nothing of whose it is. */
const KEPT = ['content-type', 'retry-after', 'x-generation-id']
/** Those of one connection, and those that `fetch` sees to. */
const OWN = new Set(['host', 'connection', 'content-length', 'accept-encoding', 'transfer-encoding'])

/** Stands between a client and a provider on 127.0.0.1, hands on every byte as it comes, and keeps what was said. */
export async function startForwarder({ upstream, limitMicroUsd }: ForwarderOptions): Promise<Forwarder> {
  const started = performance.now()
  const exchanges: Exchange[] = []
  const spending = new Spending(limitMicroUsd)
  let prices: Promise<Map<string, Price>> | undefined
  let refused: string | undefined

  let count = 0
  const underWay = new Set<Promise<void>>()

  const server = createServer((request, response) => {
    const forwarding = forward(request, response)
      .catch((failure: unknown) => {
        if (response.headersSent) response.destroy()
        else respond(response, 502, `The provider was not reached: ${(failure as Error).cause ?? failure}`)
      })
      .finally(() => underWay.delete(forwarding))
    underWay.add(forwarding)
  })

  async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const sent = performance.now()
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const body = await text(request)
    const { method = 'GET', url: path = '/' } = request
    if (path === '/key') {
      respond(response, 404, 'Not forwarded: what an account holds is for no recording.')
      return
    }
    const asked = body === '' ? undefined : JSON.parse(body)
    // The price list is forwarded and not recorded: it is no talk with a model, and larger than all of it.
    const isList = path === '/models'
    const n = isList ? 0 : ++count
    const exchange: Exchange = {
      format: 1,
      n,
      atMs: Math.round(sent - started),
      request: { method, path, ...(asked === undefined ? {} : { body: asked }) },
      response: { status: 0, headers: {}, pieces: [], end: 'cut' },
    }
    const reason =
      method === 'POST' ? spending.refusal(n, asked, body.length, await pricesFor(request)) : undefined
    if (reason !== undefined) {
      refused ??= reason
      respond(response, 402, `Not sent: ${reason}.`)
      return
    }
    if (!isList) exchanges.push(exchange)
    try {
      const answer = await fetch(`${upstream}${path}`, {
        method,
        headers: headersOf(request),
        signal: gone.signal,
        ...(body === '' ? {} : { body }),
      })
      exchange.response.status = answer.status
      exchange.response.headers = Object.fromEntries(
        KEPT.flatMap((name) => {
          const value = answer.headers.get(name)
          return value === null ? [] : [[name, value]]
        }),
      )
      response.writeHead(answer.status, exchange.response.headers)
      response.flushHeaders()
      await handOn(answer, response, exchange.response.pieces, sent)
      exchange.response.end = 'whole'
      response.end()
    } catch (failure) {
      if (!gone.signal.aborted) throw failure
      exchange.response.end = 'left'
    } finally {
      if (!isList) spending.billed(n, costOf(exchange))
    }
  }

  /** Asked for once, unless that fails. */
  function pricesFor({ headers }: IncomingMessage): Promise<Map<string, Price>> {
    prices ??= readPrices(upstream, headers.authorization).catch((failure: unknown) => {
      prices = undefined
      throw failure
    })
    return prices
  }

  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
  return {
    baseURL: `http://127.0.0.1:${port}`,
    exchanges,
    billedMicroUsd: () => spending.billedMicroUsd(),
    unknownCosts: () => spending.unknown(),
    get refused() {
      return refused
    },
    close: async () => {
      await new Promise<void>((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()))
        server.closeAllConnections()
      })
      await Promise.all(underWay)
    },
  }
}

/** What is refused before the first byte of a reply is not billed. */
function costOf(exchange: Exchange): number | undefined {
  const { status } = exchange.response
  return status >= 400 ? 0 : costUsdIn(textOf(exchange))
}

/** Every byte goes on before the next one is read; what is kept is cut after each event. */
async function handOn(answer: Response, to: ServerResponse, pieces: Piece[], sent: number): Promise<void> {
  const decoder = new TextDecoder()
  let open = ''
  const ms = () => Math.round(performance.now() - sent)
  try {
    for await (const bytes of answer.body ?? []) {
      if (!to.write(bytes)) await drained(to)
      open += decoder.decode(bytes, { stream: true })
      const events = open.split(/(?<=\n\n)/)
      open = events.at(-1)?.endsWith('\n\n') ? '' : (events.pop() ?? '')
      for (const event of events) pieces.push({ ms: ms(), text: event })
    }
  } finally {
    open += decoder.decode()
    if (open !== '') pieces.push({ ms: ms(), text: open })
  }
}

const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle)
      response.off('close', settle)
      resolve()
    }
    response.on('drain', settle)
    response.on('close', settle)
  })

const headersOf = (request: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(request.headers)
      .filter(([name]) => !OWN.has(name))
      .map(([name, value]) => [name, String(value)]),
  )

async function readPrices(upstream: string, authorization = ''): Promise<Map<string, Price>> {
  const answer = await fetch(`${upstream}/models`, { headers: { authorization } })
  if (!answer.ok) throw new Error(`${upstream}/models answered ${answer.status}`)
  return pricesIn(await answer.json())
}

function respond(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ error: { code: status, message } }))
}
