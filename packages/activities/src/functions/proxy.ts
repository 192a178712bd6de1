import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream'

const DEFAULT_PORTS = [80, 443]
const CONNECT_MS = 10_000

interface Target {
  host: string
  port: number
}

/** Whether one of the declared hosts is meant: `*.example.com` is its subdomains, a host without a port its 80 and 443. */
function isDeclared(declared: readonly string[], { host, port }: Target): boolean {
  const asked = host.toLowerCase().replace(/\.$/, '')
  return declared.some((entry) => {
    const [name = '', ownPort] = entry.toLowerCase().split(':')
    if (ownPort === undefined ? !DEFAULT_PORTS.includes(port) : Number(ownPort) !== port) return false
    return name.startsWith('*.')
      ? asked.endsWith(name.slice(1)) && asked.length > name.length - 1
      : asked === name
  })
}

/** The one way out of a function's process: a proxy that forwards to the hosts it has declared, and to no other. */
export class ForwardingProxy {
  /** A Unix socket, so that it can be shown inside a sandbox that has no network. */
  readonly socket: string
  readonly #folder: string
  readonly #server: Server
  readonly #open = new Set<Duplex>()

  private constructor(folder: string, hosts: readonly string[]) {
    this.#folder = folder
    this.socket = join(folder, 'way')
    this.#server = createServer()
    this.#server.on('connection', (socket: Socket) => this.#keep(socket))
    this.#server.on('connect', (asked: IncomingMessage, client: Duplex, head: Buffer) =>
      this.#tunnel(hosts, asked, client, head),
    )
    this.#server.on('request', (asked: IncomingMessage, answer: ServerResponse) =>
      forward(hosts, asked, answer),
    )
  }

  static async open(hosts: readonly string[]): Promise<ForwardingProxy> {
    const folder = await mkdtemp(join(tmpdir(), 'devflow-way-'))
    const proxy = new ForwardingProxy(folder, hosts)
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject)
      proxy.#server.listen(proxy.socket, resolve)
    })
    // The function's process is another user's; nobody else enters the folder.
    await chmod(proxy.socket, 0o666)
    proxy.#server.unref()
    return proxy
  }

  async close(): Promise<void> {
    this.#server.close()
    for (const socket of this.#open) socket.destroy()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #keep(socket: Duplex): void {
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    socket.on('error', () => socket.destroy())
  }

  #tunnel(hosts: readonly string[], { url = '' }: IncomingMessage, client: Duplex, head: Buffer): void {
    const target = targetOf(`http://${url}`)
    if (!target || !isDeclared(hosts, target)) {
      client.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')
      return
    }
    const outside = connect({ ...target, timeout: CONNECT_MS })
    this.#keep(outside)
    outside.once('timeout', () => outside.destroy())
    outside.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
    outside.once('connect', () => {
      outside.setTimeout(0)
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      outside.write(head)
      pipeline(outside, client, () => outside.destroy())
      pipeline(client, outside, () => client.destroy())
    })
  }
}

function forward(hosts: readonly string[], asked: IncomingMessage, answer: ServerResponse): void {
  const target = targetOf(asked.url ?? '')
  if (!target || !isDeclared(hosts, target)) {
    answer.writeHead(403).end('this host is not among the function’s permissions')
    return
  }
  const url = new URL(asked.url ?? '')
  const { 'proxy-connection': _, 'proxy-authorization': __, ...headers } = asked.headers
  const options = { method: asked.method, path: url.pathname + url.search, headers, ...target }
  const outside = request(options, (reply) => {
    answer.writeHead(reply.statusCode ?? 502, reply.headers)
    pipeline(reply, answer, () => {})
  })
  outside.on('error', () => (answer.headersSent ? answer.destroy() : answer.writeHead(502).end()))
  pipeline(asked, outside, () => {})
}

function targetOf(url: string): Target | undefined {
  if (!URL.canParse(url)) return undefined
  const { protocol, hostname, port } = new URL(url)
  if (protocol !== 'http:' || hostname === '') return undefined
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 80 : Number(port) }
}
