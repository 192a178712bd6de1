import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const scripts = fileURLToPath(new URL('../../scripts', import.meta.url))
/** The Node that npm itself would use; the scripts have to run on an old one too, so any will do. */
const node = process.execPath

function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
}

/** A checkout in miniature. Its npx notes how it was called, and installs a Node that is a script. */
function checkout() {
  const root = mkdtempSync(join(tmpdir(), 'devflow-checkout-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  cpSync(scripts, join(root, 'scripts'), { recursive: true })
  write(join(root, 'package.json'), '{"type":"module"}')
  write(join(root, 'pnpm-lock.yaml'), 'lockfileVersion: 9\n')
  write(join(root, 'pnpm-workspace.yaml'), 'packages: [packages/*]\n')
  write(join(root, 'packages', 'one', 'package.json'), '{"name":"one"}')
  const bin = join(root, 'bin')
  const installed = join(root, 'node_modules', '.bin', 'node')
  const install = `mkdir -p "${dirname(installed)}"; ln -sf "${node}" "${installed}"`
  const npx = (text: string) =>
    write(join(bin, 'npx'), `#!/bin/sh\necho "$@" >> "${root}/calls"\n${text}\n`, 0o755)
  npx(install)
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: '', DEVFLOW_CACHE: join(root, 'cache') }
  const main = join(root, 'apps', 'cli', 'src', 'main.ts')
  write(main, 'console.log(JSON.stringify(process.argv.slice(2)))')
  return {
    root,
    env,
    npx,
    main,
    calls: () =>
      existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'utf8').trim().split('\n') : [],
    start: (...args: string[]) =>
      spawnSync(node, [join(root, 'scripts', 'start.mjs'), ...args], { env, encoding: 'utf8' }),
  }
}

test('installs once, into the cache folder, and passes the arguments on', () => {
  const { start, calls, env } = checkout()
  expect(start('--once', '--approve').stdout).toBe('["up","--once","--approve"]\n')
  expect(calls()).toEqual([expect.stringMatching(/^-y pnpm@12 install --frozen-lockfile /)])
  expect(calls()[0]).toContain(`--store-dir ${env.DEVFLOW_CACHE}`)
  const again = start()
  expect([again.stdout, again.stderr]).toEqual(['["up"]\n', ''])
  expect(calls()).toHaveLength(1)
})

test('installs again when the lockfile, the workspace or a manifest has changed, or node_modules is gone', () => {
  const { root, start, calls } = checkout()
  start()
  for (const [count, change] of [
    () => write(join(root, 'pnpm-lock.yaml'), 'lockfileVersion: 10\n'),
    () => write(join(root, 'pnpm-workspace.yaml'), 'packages: [packages/*, apps/*]\n'),
    () => write(join(root, 'packages', 'one', 'package.json'), '{"name":"one","version":"2.0.0"}'),
    () => write(join(root, 'packages', 'two', 'package.json'), '{"name":"two"}'),
    () => rmSync(join(root, 'node_modules'), { recursive: true }),
  ].entries()) {
    change()
    expect(start().status).toBe(0)
    expect(calls()).toHaveLength(count + 2)
  }
})

test('keeps the store that node_modules was made with: another one would mean to begin anew', () => {
  const { root, start, calls } = checkout()
  const store = join(root, 'other-store')
  mkdirSync(join(store, 'v11'), { recursive: true })
  write(
    join(root, 'node_modules', '.modules.yaml'),
    JSON.stringify({ storeDir: join(store, 'v11') }, null, 2),
  )
  start()
  expect(calls()[0]).toMatch(new RegExp(`--store-dir ${store}$`))
})

test.each([
  ['keeps what Node has compiled in a folder of its own', {}, 0o700, '<cache>/compiled'],
  ['keeps nothing where others could have written', {}, 0o777, undefined],
  ['keeps nothing where the user wants none', { NODE_DISABLE_COMPILE_CACHE: '1' }, 0o700, undefined],
  ['keeps it where the user says', { NODE_COMPILE_CACHE: '/elsewhere' }, 0o700, '/elsewhere'],
])('%s', (_, set, mode, where) => {
  const { root, env, main, start } = checkout()
  Object.assign(env, set)
  write(main, 'console.log(process.env.NODE_COMPILE_CACHE)')
  start()
  const folder = join(env.DEVFLOW_CACHE, 'compiled')
  if (existsSync(folder)) {
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    chmodSync(folder, mode)
  }
  expect(start().stdout).toBe(`${where?.replace('<cache>', join(root, 'cache'))}\n`)
})

test.each([
  ['echo "npm error code EAI_AGAIN" >&2; exit 1', /registry was not reached/],
  ['echo "ENOSPC: no space left on device" >&2; exit 1', /disk is full/],
  ['echo "ERR_PNPM_OUTDATED_LOCKFILE" >&2; exit 1', /pnpm-lock\.yaml does not fit/],
  ['exit 0', /brought no .*node/],
])('a failed installation is told in words, and tried again the next time: %s', (text, words) => {
  const { npx, start, calls } = checkout()
  npx(text)
  const { status, stderr, stdout } = start()
  expect(status).toBe(1)
  expect(stderr).toMatch(words)
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(stdout).toBe('')
  start()
  expect(calls()).toHaveLength(2)
})

test('hands signals and the exit code on', async () => {
  const { root, env, main, start } = checkout()
  start()
  write(main, `process.on('SIGTERM', () => process.exit(7)); console.log('up'); setInterval(() => {}, 1000)`)
  const child = spawn(node, [join(root, 'scripts', 'start.mjs')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([7, null])
})

test('what it started learns that it is gone, by kill -9 too', async () => {
  const { root, env, main, start } = checkout()
  start()
  const ended = join(root, 'ended')
  write(
    main,
    `import { writeFileSync } from 'node:fs'
     process.on('disconnect', () => { writeFileSync(${JSON.stringify(ended)}, ''); process.exit() })
     console.log('up')`,
  )
  const child = spawn(node, [join(root, 'scripts', 'start.mjs')], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await expect.poll(() => existsSync(ended)).toBe(true)
})

test('a SIGTERM to npm ends what it runs in good order, though the shell in between keeps it to itself', async () => {
  const { root, env, main } = checkout()
  const said = join(root, 'said')
  write(
    main,
    `import { appendFileSync } from 'node:fs'
     const say = (text) => appendFileSync(${JSON.stringify(said)}, text)
     process.on('SIGTERM', () => { say('drained'); process.exit() })
     setInterval(() => {}, 1_000)
     say('running,')`,
  )
  const words = () => (existsSync(said) ? readFileSync(said, 'utf8') : '')
  const start = join(root, 'scripts', 'start.mjs')
  const shell = spawn('/bin/sh', ['-c', `"${node}" "${start}"; true`], {
    env: { ...env, npm_lifecycle_event: 'start' },
    stdio: 'ignore',
  })
  await expect.poll(words, { timeout: 20_000 }).toBe('running,')
  shell.kill('SIGTERM')
  await expect.poll(words, { timeout: 20_000 }).toBe('running,drained')
})
