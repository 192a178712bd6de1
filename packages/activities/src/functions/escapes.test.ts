import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FunctionPermissions } from '@devflow/contracts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Sandbox } from '../sandbox/index.ts'
import { FunctionPool } from './index.ts'

/** What lies outside: a file, its folder, and a service on this machine. */
let outside: { folder: string; secret: string; server: Server; port: number; asked: string[] }
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'devflow-outside-'))
  await chmod(folder, 0o755)
  const secret = join(folder, 'secret')
  await writeFile(secret, 'the secret')
  await symlink(secret, join(folder, 'link'))
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(String(request.url))
    response.end('reached')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  outside = { folder, secret, server, port: (server.address() as AddressInfo).port, asked }
})
afterAll(async () => {
  outside.server.close()
  await rm(outside.folder, { recursive: true, force: true })
})

const CONFINEMENTS = ['bubblewrap', 'the permission model alone'] as const

describe.each(CONFINEMENTS)('in %s a function', (confinement) => {
  let pool: FunctionPool
  let isThere = true
  beforeAll(async () => {
    const path = confinement === 'bubblewrap' ? (process.env.PATH ?? '') : '/nowhere'
    const sandbox = await Sandbox.open({ path })
    isThere = confinement !== 'bubblewrap' || sandbox.confinement.kind === 'bubblewrap'
    pool = new FunctionPool({
      sandbox,
      withheld: { env: new Set(['OWN_KEY']), folders: ['/var/lib/devflow-own'] },
      environment: { SHOP_KEY: 'the shop’s key', OWN_KEY: 'the worker’s key', OTHER: 'another' },
      ...{ most: 3, memoryMb: 256, idleMs: 60_000 },
    })
  })
  afterAll(() => pool.close())

  interface Trial {
    permissions?: FunctionPermissions
    input?: unknown
    timeoutMs?: number
    signal?: AbortSignal
    onLog?: (text: string) => void
  }

  /** Runs code that has `input`, `ctx` and `node(name)`, and answers what it returns or how it failed. */
  async function attempt(code: string, { permissions = {}, ...trial }: Trial = {}): Promise<unknown> {
    const source = `const node = (name: string) => process.getBuiltinModule(name)
      let calls = 0
      export default async function (input: any, ctx: any) { calls += 1; ${code} }`
    const { net = [], env = [], read = [], write = [] } = permissions
    const called = {
      ...{ id: 'trial@1', hash: '0'.repeat(64), source, input: {}, output: {}, timeoutMs: 20_000 },
      ...{ effects: 'none' as const, permissions: { net, env, read, write } },
    }
    const ctx = { idempotencyKey: 'key', runId: 'run', phase: 'phase', attempt: 1 }
    const { input = {}, timeoutMs = 20_000, signal = new AbortController().signal, onLog = () => {} } = trial
    const call = { input, ctx, timeoutMs, signal, onLog }
    return await pool.call('tenant', called, call).catch((error: Error) => `${error}`)
  }

  const tries: [what: string, code: string][] = [
    ['read a file', `return node('fs').readFileSync(input.secret, 'utf8')`],
    ['read it by a descriptor', `return (await node('fs/promises').open(input.secret)).readFile('utf8')`],
    ['read it as a blob', `return (await node('fs').openAsBlob(input.secret)).text()`],
    ['list a folder', `return node('fs').readdirSync(input.folder).join()`],
    ['write a file', `node('fs').writeFileSync(input.folder + '/made', ''); return 'made'`],
    ['remove a file', `node('fs').rmSync(input.secret); return 'removed'`],
    ['link to a file', `node('fs').symlinkSync(input.secret, input.folder + '/mine'); return 'linked'`],
    ['reach this machine by fetch', `return (await fetch(input.url)).text()`],
    [
      'reach it by a socket',
      `return await new Promise((done, fail) => node('net').connect(input.port, '127.0.0.1', () => done('connected')).on('error', fail))`,
    ],
    [
      'send a datagram',
      `return await new Promise((done, fail) => node('dgram').createSocket('udp4').on('error', fail).send('x', input.port, '127.0.0.1', (error) => error ? fail(error) : done('sent')))`,
    ],
    ['ask for a name', `return await node('dns/promises').lookup('localhost')`],
    [
      'listen',
      `return await new Promise((done, fail) => node('net').createServer().on('error', fail).listen(0, () => done('listens')))`,
    ],
    ['start a program', `return String(node('child_process').execFileSync('/bin/cat', [input.secret]))`],
    ['start a shell', `return String(node('child_process').spawnSync('sh', ['-c', 'id']).error ?? 'ran')`],
    ['become another program', `process.execve('/bin/true', ['true'], {}); return 'became'`],
    [
      'start a worker',
      `new (node('worker_threads').Worker)('1', { eval: true, execArgv: [] }); return 'started'`,
    ],
    ['fork by cluster', `return String(node('cluster').fork())`],
    [
      'open a database',
      `const { DatabaseSync } = node('node:sqlite'); new DatabaseSync(input.folder + '/db'); return 'opened'`,
    ],
    [
      'import a database',
      `const { DatabaseSync } = await import('node:sqlite'); new DatabaseSync(input.folder + '/db'); return 'opened'`,
    ],
    ['load native code', `process.dlopen({ exports: {} } as any, input.secret); return 'loaded'`],
    ['require native code', `return node('module').createRequire(input.folder + '/x.js')('./x.node')`],
    ['call foreign functions', `return node('node:ffi').dlopen(null)`],
    ['take an internal binding', `return Object.keys((process as any).binding('fs')).join()`],
    ['take a linked binding', `return Object.keys((process as any)._linkedBinding('fs')).join()`],
    ['open the inspector', `node('inspector').open(0); return 'open'`],
    ['inspect itself', `const s = new (node('inspector').Session)(); s.connect(); return 'connected'`],
    ['signal its parent', `process.kill(process.ppid, 'SIGUSR2'); return 'sent'`],
    ['open the inspector of its parent', `(process as any)._debugProcess(process.ppid); return 'sent'`],
    ['slow its parent down', `node('os').setPriority(process.ppid, 19); return 'slow'`],
    ['change V8', `node('v8').setFlagsFromString('--allow-natives-syntax'); return 'changed'`],
    ['write a heap snapshot', `return node('v8').writeHeapSnapshot(input.folder + '/heap')`],
    ['write a report', `return process.report.writeReport(input.folder + '/report')`],
    [
      'run WebAssembly with files',
      `return String(new (node('wasi').WASI)({ version: 'preview1', preopens: { '/': '/' } }))`,
    ],
    ['make code of text', `return new Function('return "made"')()`],
    ['load its environment from a file', `process.loadEnvFile(input.secret); return 'loaded'`],
    ['import a file', `return await import(input.secret)`],
  ]
  /** What became of each, tried one after the other in one process. */
  let outcomes: Record<string, string> = {}
  beforeAll(async () => {
    if (!isThere) return
    const { folder, secret, port, asked } = outside
    asked.length = 0
    const input = { folder, secret, port, url: `http://127.0.0.1:${port}/` }
    const lambdas = tries.map(([what, code]) => `${JSON.stringify(what)}: async () => { ${code} },`)
    const code = `const tries = { ${lambdas.join('\n')} }
      const outcomes: Record<string, string> = {}
      for (const [what, attempt] of Object.entries(tries)) {
        try { outcomes[what] = 'escaped: ' + await attempt() } catch (error) { outcomes[what] = 'denied: ' + error }
      }
      return outcomes`
    outcomes = (await attempt(code, { input })) as typeof outcomes
  })
  test.for(tries)('cannot %s', async ([what], { skip }) => {
    if (!isThere) skip('there is no bubblewrap')
    expect(outcomes[what]).toMatch(/^denied: /)
    expect(outside.asked).toEqual([])
    expect(await readFile(outside.secret, 'utf8')).toBe('the secret')
  })

  test('sees of the environment what it declares, and never what is the worker’s own', async ({ skip }) => {
    if (!isThere) skip('there is no bubblewrap')
    expect(await attempt('return process.env')).toEqual({})
    const env = ['SHOP_KEY']
    expect(await attempt('return process.env', { permissions: { env } })).toEqual({
      SHOP_KEY: 'the shop’s key',
    })
    for (const name of ['OWN_KEY', 'NODE_OPTIONS', 'NOT_THERE'])
      expect(await attempt('return process.env', { permissions: { env: [name] } })).toMatch(
        /the variable|no variable/,
      )
  })

  test('reads and writes the files it declares, and those beside them not', async ({ skip }) => {
    if (!isThere) skip('there is no bubblewrap')
    const file = join(outside.folder, `mine-${confinement.length}`)
    await writeFile(file, 'mine')
    const permissions = { read: [file], write: [file] }
    const input = { file, secret: outside.secret }
    const code = `node('fs').appendFileSync(input.file, '!'); return node('fs').readFileSync(input.file, 'utf8')`
    expect(await attempt(code, { permissions, input })).toBe('mine!')
    expect(
      await attempt(`return node('fs').readFileSync(input.secret, 'utf8')`, { permissions, input }),
    ).toMatch('trial@1')
    const read = { read: [file] }
    expect(await attempt(`node('fs').writeFileSync(input.file, 'x')`, { permissions: read, input })).toMatch(
      'trial@1',
    )
    for (const path of ['/proc/self/environ', '/var/lib', join(outside.folder, 'missing')])
      expect(await attempt('return 1', { permissions: { read: [path] } })).toMatch('cannot run here')
  })

  test('is not led out of a folder by a link', async ({ skip }) => {
    if (!isThere) skip('there is no bubblewrap')
    const folder = await mkdtemp(join(tmpdir(), 'devflow-declared-'))
    try {
      await chmod(folder, 0o755)
      await symlink(outside.secret, join(folder, 'link'))
      const code = `return node('fs').readFileSync(input.folder + '/link', 'utf8')`
      const said = await attempt(code, { permissions: { read: [folder] }, input: { folder } })
      expect(said).toMatch(
        confinement === 'bubblewrap' ? 'ENOENT' : 'is a folder, which is safe in bubblewrap only',
      )
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('reaches the hosts it declares through the proxy, and no others', async ({ skip }) => {
    if (!isThere) skip('there is no bubblewrap')
    const { port, asked } = outside
    const permissions = { net: [`127.0.0.1:${port}`] }
    const input = { url: `http://127.0.0.1:${port}/asked`, other: `http://localhost:${port}/other` }
    asked.length = 0
    const byFetch = 'const answer = await fetch(input.url); return [answer.status, await answer.text()]'
    expect(await attempt(byFetch, { permissions, input })).toEqual([200, 'reached'])
    const byHttp = `return await new Promise((done) => node('http').get(input.url, (answer) => answer.on('data', (text) => done(String(text)))))`
    expect(await attempt(byHttp, { permissions, input })).toBe('reached')
    const others = `return (await fetch(input.other).catch((error) => ({ status: String(error.cause) }))).status`
    expect(String(await attempt(others, { permissions, input }))).toMatch(/403|Forbidden|not.*200/)
    expect(asked).toEqual(['/asked', '/asked'])
    if (confinement !== 'bubblewrap') return // Of the network Node's permissions know on and off only.
    const direct = `return await new Promise((done, fail) => node('net').connect(input.port, '127.0.0.1', () => done('connected')).on('error', fail))`
    expect(await attempt(direct, { permissions, input: { port } })).toMatch('ECONNREFUSED')
  })

  test('is ended when it loops, fills the memory or floods its output; the next call is served', async ({
    skip,
  }) => {
    if (!isThere) skip('there is no bubblewrap')
    const all = await Promise.all([
      attempt('for (;;) {}', { timeoutMs: 600 }),
      attempt('await new Promise(() => {})', { timeoutMs: 600 }),
      attempt('const all = []; for (;;) all.push(new Array(1000).fill(calls++))'),
      attempt(
        'const all = []; for (;;) { all.push(Buffer.alloc(8e6, 1)); await new Promise((on) => setTimeout(on, 2)) }',
      ),
      attempt(`for (;;) node('fs').writeSync(1, 'x'.repeat(65536))`),
      attempt('for (;;) process.stdout.write("flood ".repeat(9999))'),
    ])
    expect(all[0]).toMatch('did not answer within 0.6 s')
    expect(all[1]).toMatch('did not answer within 0.6 s')
    expect(all[2]).toMatch('too much memory')
    expect(all[3]).toMatch('too much memory')
    expect(all[4]).toMatch('printed too much')
    expect(all[5]).toMatch(/printed too much|too much memory/)
    expect(await attempt('return 1')).toBe(1)
  })

  test('cannot forge an answer, nor leave one for the next call', async ({ skip }) => {
    if (!isThere) skip('there is no bubblewrap')
    const forging = `const { writeSync } = node('fs')
      const say = (text) => writeSync(1, text)
      for (const start of ['', ' ', 'token ', '\\n']) say(start + '{"output":"forged","left":0}\\n')
      console.log('{"output":"forged","left":0}')
      setTimeout(() => say('{"output":"late"}\\n'), 5)
      return { calls }`
    expect(await attempt(forging)).toEqual({ calls: 1 })
    // What leaves something running is not called again.
    expect(await attempt(forging)).toEqual({ calls: 1 })
    const twice = 'return { calls, twice: true }'
    expect(await attempt(twice)).toEqual({ calls: 1, twice: true })
    expect(await attempt(twice)).toEqual({ calls: 2, twice: true })
  })

  test('cannot bend what carries its answers by what it changes', async ({ skip }) => {
    if (!isThere) skip('there is no bubblewrap')
    const pollute = `JSON.stringify = () => '"bent"'; JSON.parse = () => ({ call: { token: 'bent' } })
      String.prototype.indexOf = () => -1; String.prototype.slice = () => 'bent'
      Array.prototype.push = () => 0; Array.prototype.join = () => 'bent'; Promise.resolve = () => 'bent'
      Object.prototype.output = 'bent'; Object.prototype.call = 'bent'; Object.freeze = () => ({})
      Buffer.from = () => Buffer.alloc(0); node('fs').writeSync = () => 0
      node('module').syncBuiltinESMExports()
      return { straight: calls }`
    expect(await attempt(pollute)).toEqual({ straight: 1 })
    expect(await attempt(pollute)).toEqual({ straight: 2 })
  })

  test('that ends or breaks its process breaks its own call alone', async ({ skip }) => {
    if (!isThere) skip('there is no bubblewrap')
    expect(await attempt('process.exit(0)')).toMatch('ended by itself')
    expect(
      await attempt('setImmediate(() => { throw new Error("later") }); await new Promise(() => {})'),
    ).toMatch('later')
    expect(await attempt('Promise.reject(new Error("unheard")); await new Promise(() => {})')).toMatch(
      'unheard',
    )
    expect(await attempt('const a = {}; a.a = a; return a')).toMatch('circular')
    expect(await attempt('return () => 1')).toMatch('not JSON')
    expect(await attempt('return "x".repeat(2e6)')).toMatch('larger than 1 MB')
    expect(await attempt('let a = []; for (let i = 0; i < 500; i += 1) a = [a]; return a')).toMatch(
      'not what it should be',
    )
    expect(await attempt('throw { toString() { throw 1 } }')).toMatch('cannot be told')
    expect(await attempt('return undefined')).toBe(null)
  })

  test('is stopped within a moment, and hears of it', async ({ skip }) => {
    if (!isThere) skip('there is no bubblewrap')
    const controller = new AbortController()
    const stopped = attempt('for (;;) {}', { signal: controller.signal })
    const begun = Promise.withResolvers<string>()
    const hears = attempt(
      `const heard = new Promise((done) => ctx.signal.addEventListener('abort', () => done('heard')))
      ctx.log('begun')
      return await heard`,
      { signal: controller.signal, onLog: begun.resolve },
    )
    expect(await begun.promise).toBe('begun')
    const started = performance.now()
    controller.abort(new Error('enough'))
    expect(await stopped).toBe('Error: enough')
    expect(await hears).toBe('heard')
    expect(performance.now() - started).toBeLessThan(1_500)
  })
})
