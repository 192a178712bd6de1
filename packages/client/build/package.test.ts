import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createContext, Script } from 'node:vm'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answer, faultyServer, type Play, page, stream } from '../src/faulty-server.fixture.ts'
import * as source from '../src/index.ts'
import { makePackage } from './make-package.ts'

const TSC = join(dirname(fileURLToPath(import.meta.resolve('typescript/package.json'))), 'bin', 'tsc')

const home = mkdtempSync(join(tmpdir(), 'devflow-client-'))
/** As it stands where it is installed. */
const installed = join(home, 'node_modules', '@devflow', 'client')
let tarball: Buffer

beforeAll(async () => {
  const folder = join(home, 'package')
  await makePackage(folder)
  execFileSync('npm', ['pack', '--pack-destination', home], { cwd: folder, stdio: 'pipe' })
  const name = readdirSync(home).find((file) => file.endsWith('.tgz')) ?? expect.unreachable()
  tarball = readFileSync(join(home, name))
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', join(home, name), '--strip-components=1', '-C', installed])
})
afterAll(() => rmSync(home, { recursive: true }))

const textOf = (file: string) => readFileSync(join(installed, file), 'utf8')

test('publint finds nothing to say about the package', async () => {
  const { messages } = await publint({ pkgDir: installed, pack: false, strict: true, level: 'suggestion' })
  expect(messages).toEqual([])
})

test('its types are right however they are resolved', async () => {
  const data = tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.byteLength)
  const result = await checkPackage(createPackageFromTarballData(new Uint8Array(data as ArrayBuffer)))
  expect(result.types).toEqual({ kind: 'included' })
  expect('problems' in result ? result.problems : result).toEqual([])
})

test('it needs nothing: no dependency, no zod, nothing of Node', () => {
  expect(JSON.parse(textOf('package.json'))).not.toHaveProperty('dependencies')
  for (const file of ['esm/index.js', 'cjs/index.js']) {
    const text = textOf(file)
    const foreign =
      /^import |\bimport\(|\brequire\(|\bfrom ['"]|['"]node:|\bzod\b|\bz\.|\b(process|Buffer|global|__dirname|setImmediate)\b[.(]/m
    expect(text.match(foreign)?.[0]).toBeUndefined()
    expect(text.length).toBeLessThan(60_000)
  }
  for (const file of readdirSync(join(installed, 'esm')).filter((name) => name.endsWith('.d.ts')))
    expect(textOf(`esm/${file}`)).not.toMatch(/from '(?!\.\/[\w-]+\.js')|import\(|<reference|\bz\./)
})

test('it has all that the source has', async () => {
  const built: Record<string, unknown> = await import(join(installed, 'esm', 'index.js'))
  expect(Object.keys(built).sort()).toEqual(Object.keys(source).sort())
})

/** What is at hand in browsers, Deno, Bun and Node alike; a context has the language and nothing else. */
const WEB = {
  ...{
    fetch,
    Headers,
    Request,
    Response,
    ReadableStream,
    URL,
    URLSearchParams,
    AbortController,
    AbortSignal,
  },
  ...{ TextEncoder, TextDecoder, crypto, setTimeout, clearTimeout },
}

const RUN = { id: 'r', status: 'completed', output: { ok: true }, latencyMs: 7, lastSeq: 1 }
const EVENT = {
  runId: 'r',
  seq: 1,
  type: 'run.completed',
  at: '2026-01-01T00:00:00.000Z',
  key: 'k',
  data: {},
}

test('it runs where there is only the web', async () => {
  const server = await faultyServer([
    answer(503, {}),
    answer(201, RUN),
    stream(`id: 1\nevent: run.completed\ndata: ${JSON.stringify(EVENT)}\n\nevent: end\ndata: {}\n\n`, 'end'),
  ])
  const module = { exports: {} as typeof source }
  const context = createContext({ ...WEB, module, exports: module.exports })
  new Script(textOf('cjs/index.js')).runInContext(context)
  const { DevflowClient } = module.exports
  const client = new DevflowClient({ baseUrl: server.url, retry: { minDelayMs: 1 } })
  expect(await client.execute('x@1')).toMatchObject({ output: { ok: true }, latencyMs: 7 })
  const types: string[] = []
  for await (const { type } of client.runs.follow('r')) types.push(type)
  expect(types).toEqual(['run.completed'])
})

const PROGRAM = `
const run = async (baseUrl) => {
  const client = new DevflowClient({ baseUrl, retry: { minDelayMs: 1, maxDelayMs: 2 } })
  const { output, latencyMs } = await client.execute('x@1', { request: 'x' })
  return JSON.stringify({ output, latencyMs, error: new ValidationError('INVALID', 'x', 'y').name })
}
`
const PRINTED = JSON.stringify({ output: { ok: true }, latencyMs: 7, error: 'ValidationError' })

/** Whether a program is on the PATH. */
const isThere = (command: string) => spawnSync(command, ['--version']).status === 0

const print = async (command: string, args: string[]): Promise<string> =>
  (await promisify(execFile)(command, args, { cwd: home })).stdout

describe('a program runs it', () => {
  const names = '{ DevflowClient, ValidationError }'
  const go = 'run(process.argv[2]).then(console.log)'
  const imported = `import ${names} from '@devflow/client'\nimport process from 'node:process'\n${PROGRAM}${go}`
  const required = `const ${names} = require('@devflow/client')\n${PROGRAM}${go}`
  const node = process.execPath
  const deno = ['run', '--allow-net', '--allow-read', '--node-modules-dir=manual']

  test.for<[string, string, string[], string, string]>([
    ['Node, by import', node, [], 'run.mjs', imported],
    ['Node, by require', node, [], 'run.cjs', required],
    ['Deno', 'deno', deno, 'run.mjs', imported],
    ['Bun', 'bun', [], 'run.mjs', imported],
  ])('in %s', async ([name, command, args, file, text], { skip }) => {
    skip(!isThere(command), `${name} is not installed`)
    const server = await faultyServer([answer(503, {}), answer(201, RUN)])
    writeFileSync(join(home, file), text)
    expect((await print(command, [...args, join(home, file), server.url])).trim()).toBe(PRINTED)
  })

  test('in a browser', async ({ skip }) => {
    const browser = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'].find(isThere)
    if (browser === undefined) return skip('no Chromium is installed')
    const script = `import ${names} from '/index.js'\n${PROGRAM}run(location.origin).then((text) => document.body.append(text))`
    const routes: Record<string, Play> = {
      '/': page(200, `<body><script type="module">${script}</script></body>`),
      '/index.js': page(200, textOf('esm/index.js'), 'text/javascript'),
      '/v1/runs': answer(201, RUN),
    }
    const server = await faultyServer([
      (response, seen) => (routes[seen.url] ?? page(404, ''))(response, seen),
    ])
    const args = ['--headless', '--no-sandbox', '--disable-gpu', '--virtual-time-budget=20000', '--dump-dom']
    expect(await print(browser, [...args, server.url])).toContain(PRINTED)
  })
})

const CONSUMER = `
  import { DevflowClient, ExecutionError, finalText, type Run, type SubmitRun } from '@devflow/client'

  const client = new DevflowClient({ baseUrl: new URL('http://127.0.0.1:8787'), fetch: globalThis.fetch })
  const submission: SubmitRun = { template: 'x@1', input: { request: ['x', 1, null] }, budget: { onExceeded: 'block' } }
  export const run: Promise<Run> = client.runs.submit(submission, { signal: AbortSignal.timeout(1_000) })
  export async function use(): Promise<string> {
    const { output } = await client.execute<{ ok: boolean }>('x@1')
    const isOk: boolean = output.ok
    for await (const { phases: [phase], status } of client.runs.list({ status: 'failed' })) {
      // @ts-expect-error no such status
      if (status === 'lost') return phase?.error?.code ?? ''
    }
    for await (const poke of client.stream({ kind: 'gates' })) poke.gate.decisions.map(({ actor }) => actor)
    // @ts-expect-error a template is required
    client.runs.submit({ input: {} }).catch((error) => error instanceof ExecutionError && error.run.status)
    return isOk ? await finalText(client.runs.tokens('r')) : ''
  }
`

const NODE_TYPES = {
  types: ['node'],
  typeRoots: [fileURLToPath(new URL('../../../node_modules/@types', import.meta.url))],
}

describe('a program is checked against its types', () => {
  const dom = { lib: ['es2022', 'dom', 'dom.asynciterable'], types: [] }
  const node = { lib: ['es2022'], ...NODE_TYPES }
  test.for<[string, string, object]>([
    ['ESM for browsers', 'use.mts', { ...dom, module: 'nodenext' }],
    ['CommonJS for browsers', 'use.cts', { ...dom, module: 'nodenext' }],
    ['a bundler', 'use.ts', { ...dom, module: 'esnext', moduleResolution: 'bundler' }],
    ['ESM for Node', 'use.mts', { ...node, module: 'nodenext' }],
    ['CommonJS for Node', 'use.cts', { ...node, module: 'nodenext' }],
  ])('as %s', async ([name, file, options]) => {
    const folder = join(home, name.replaceAll(' ', '-'))
    mkdirSync(folder)
    writeFileSync(join(folder, file), CONSUMER)
    const compilerOptions = { strict: true, noEmit: true, target: 'es2022', skipLibCheck: false, ...options }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }))
    const { status, stdout } = spawnSync(process.execPath, [TSC, '-p', folder], { encoding: 'utf8' })
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
  })
})

test('the examples in the documents are right', () => {
  const documents = ['../../../README.md', '../../../docs/client.md', '../README.md'].map(
    (path) => new URL(path, import.meta.url),
  )
  const examples = documents.flatMap((url) =>
    [...readFileSync(url, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text),
  )
  expect(examples.length).toBeGreaterThan(5)
  const folder = join(home, 'examples')
  mkdirSync(folder)
  const files = examples.map((_, index) => `example-${index}.mts`)
  for (const [index, file] of files.entries()) writeFileSync(join(folder, file), examples[index] ?? '')
  const compilerOptions = { strict: true, noEmit: true, target: 'es2022', module: 'nodenext', ...NODE_TYPES }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const { status, stdout } = spawnSync(process.execPath, [TSC, '-p', folder], { encoding: 'utf8' })
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
})

test('every method and every class of error is documented', () => {
  const text = readFileSync(new URL('../../../docs/client.md', import.meta.url), 'utf8')
  const devflow = new source.DevflowClient()
  const methods = Object.entries({ ...devflow }).flatMap(([group, object]) =>
    [Object.getPrototypeOf(object), Object.getPrototypeOf(Object.getPrototypeOf(object))]
      .filter((prototype) => prototype !== Object.prototype)
      .flatMap((prototype) => Object.getOwnPropertyNames(prototype))
      .filter((name) => name !== 'constructor')
      .map((name) => `${group}.${name}`),
  )
  expect(methods.length).toBeGreaterThan(20)
  const grouped = text.replace(/`\.(pause|resume|retry)`/g, '`runs.$1(`')
  expect(methods.filter((name) => !grouped.includes(`${name}(`))).toEqual([])
  const classes = Object.keys(source).filter((name) => name.endsWith('Error'))
  expect(classes.filter((name) => !text.includes(`\`${name}\``))).toEqual([])
})
