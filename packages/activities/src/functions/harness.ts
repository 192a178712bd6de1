// What runs in a function's process: it reads calls from its standard input, a line each, and answers on its standard
// output. It is handed to Node as text, without its types, and imports only what is built in.
//
// The function shares its process, so nothing here is safe from it for good. What is: it gets nothing that the process has
// not (permissions, namespaces), and each answer begins with a token made for that call alone, so what a function prints, or
// left running earlier, is not taken for the answer of a later call. What is needed afterwards is taken before its code runs.
import fs from 'node:fs'
import http from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import os from 'node:os'
import util from 'node:util'
import v8 from 'node:v8'

interface Call {
  token: string
  input: unknown
  ctx: { idempotencyKey: string; runId: string; phase: string; attempt: number }
}
type Message =
  | { code: string; env: Record<string, string>; proxy?: string }
  | { call: Call }
  | { abort: true }
type Called = (input: unknown, ctx: object) => unknown

const { parse, stringify } = JSON
const { freeze } = Object
const { writeSync } = fs
const { format } = util
const bytesOf = Buffer.from
const { exit, stdin, env, getActiveResourcesInfo: resources } = process
const indexOf = Function.prototype.call.bind(String.prototype.indexOf) as (
  text: string,
  found: string,
) => number
const slice = Function.prototype.call.bind(String.prototype.slice) as (
  text: string,
  from: number,
  to?: number,
) => string
const text = String
const sleep = Atomics.wait
const cell = new Int32Array(new SharedArrayBuffer(4))

/** Of the permission model's gaps those that are closed by taking a function away. */
const REMOVED = [
  'kill',
  '_kill',
  '_debugProcess',
  '_debugEnd',
  'execve',
  'abort',
  'dlopen',
  'binding',
  '_linkedBinding',
  'setuid',
  'setgid',
  'seteuid',
  'setegid',
  'setgroups',
  'initgroups',
]
for (const name of REMOVED) Object.defineProperty(process, name, { value: undefined, configurable: false })
const denied = (name: string) => () => {
  throw Object.assign(new Error(`a function must not call ${name}`), { code: 'ERR_ACCESS_DENIED' })
}
os.setPriority = denied('os.setPriority')
v8.setFlagsFromString = denied('v8.setFlagsFromString')
syncBuiltinESMExports()
// Calls come by it; whoever read from it would lose the next.
Object.defineProperty(process, 'stdin', { value: undefined, configurable: false })

const STOPPED = new Error('the call was stopped')

let called: Called | undefined
let current: { token: string; controller: AbortController } | undefined
/** A call is stopped, maybe before it has begun. */
let isStopped = false

function say(token: string, json: string): void {
  let rest = bytesOf(`\n${token}${json}\n`)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      // The pipe is full, and the function has made it one that does not wait.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') exit(1)
      sleep(cell, 0, 0, 1)
    }
  }
}

function wordsOf(error: unknown): string {
  try {
    if (typeof error === 'object' && error !== null && 'message' in error) {
      const name = 'name' in error && error.name !== 'Error' ? `${text(error.name)}: ` : ''
      return name + text(error.message)
    }
    return text(error)
  } catch {
    return 'it threw what cannot be told'
  }
}

function fail(token: string, error: unknown): void {
  say(token, `{"error":${stringify(wordsOf(error))}}`)
}

function log(...words: unknown[]): void {
  if (current) say(current.token, `{"log":${stringify(slice(format(...words), 0, 4_000))}}`)
}

/** What a function leaves running; sockets that wait to be used again do not count. */
function leftovers(): number {
  let count = 0
  for (const name of resources())
    if (name === 'Timeout' || name === 'Immediate' || name === 'FSReqCallback') count += 1
  return count
}

async function answer({ token, input, ctx }: Call): Promise<void> {
  const controller = new AbortController()
  if (isStopped) controller.abort(STOPPED)
  current = { token, controller }
  try {
    if (!called) throw new Error('its default export is not a function')
    say(token, '{"begun":true}')
    const output = await called(input, freeze({ ...ctx, signal: controller.signal, log }))
    const json = stringify(output === undefined ? null : output)
    if (json === undefined) throw new Error('it returned what is not JSON')
    current = undefined
    say(token, `{"output":${json},"left":${leftovers()}}`)
  } catch (error) {
    current = undefined
    fail(token, error)
  }
}

/** Of the network a function has only this: a way to the forwarding proxy, for `fetch` and `http`. */
async function openWay(socket: string): Promise<void> {
  const server = net.createServer((client) => {
    const outside = net.connect(socket)
    client.on('error', () => outside.destroy())
    outside.on('error', () => client.destroy())
    client.pipe(outside).pipe(client)
  })
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  server.unref()
  const proxy = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`
  http.setGlobalProxyFromEnv({ http_proxy: proxy, https_proxy: proxy })
}

let loading: Promise<unknown> = Promise.resolve()

async function take(message: Message): Promise<void> {
  if ('abort' in message) {
    isStopped = true
    current?.controller.abort(STOPPED)
    return
  }
  if ('call' in message) {
    try {
      await loading
    } catch (error) {
      fail(message.call.token, error)
      return
    }
    await answer(message.call)
    return
  }
  const { code, proxy, env: declared } = message
  // Of the environment only what is declared; what the sandbox sets for commands is not.
  for (const name of Object.keys(env)) delete env[name]
  Object.assign(env, declared)
  loading = (async () => {
    if (proxy !== undefined) await openWay(proxy)
    const url = `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`
    const module: { default?: unknown } = await import(url)
    if (typeof module.default === 'function') called = module.default as Called
  })()
  loading.catch(() => {}) // Told to the first call.
}

// An error that nobody waits for: the call it came in fails, and the process is not used again.
const crash = (error: unknown) => {
  if (current) fail(current.token, error)
  exit(1)
}
process.on('uncaughtException', crash)
process.on('unhandledRejection', crash)
for (const name of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) console[name] = log

let waiting = ''
stdin.setEncoding('utf8')
stdin.on('data', (piece: string) => {
  waiting += piece
  for (let end = indexOf(waiting, '\n'); end >= 0; end = indexOf(waiting, '\n')) {
    const line = slice(waiting, 0, end)
    waiting = slice(waiting, end + 1)
    void take(parse(line) as Message)
  }
})
stdin.on('end', () => exit(0))
