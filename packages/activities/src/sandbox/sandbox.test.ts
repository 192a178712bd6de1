import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runTool } from '../tools/index.ts'
import { CapturedOutput } from './captured-output.ts'
import { Sandbox } from './index.ts'
import { isSandboxed } from './sandboxed.fixture.ts'
import { seccompFilter } from './seccomp.ts'

const NOBODY = 65_534
const TRIAL = fileURLToPath(new URL('./trial.fixture.ts', import.meta.url))

interface Trial {
  confinement: { kind: string; reason?: string }
  said: string[]
  closed: { uid: number; mode: number }
}

async function trial(scripts: string[], user: { uid?: number; gid?: number } = {}): Promise<Trial> {
  const { stdout } = await promisify(execFile)(process.execPath, [TRIAL, ...scripts], {
    ...user,
    cwd: tmpdir(),
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', SECRET: 'of the worker' },
  })
  return JSON.parse(stdout) as Trial
}

const SCRIPTS = [
  'id -u; grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status',
  'touch .git/planted; mkdir closed; touch closed/file; chmod 000 closed; unshare -U true',
  'env; echo on > file; cat file',
]

function expectConfined({ confinement, said }: Trial): void {
  expect(confinement).toEqual({ kind: 'bubblewrap' })
  expect(said[0]).toMatch(/CapEff:\s+0+\nNoNewPrivs:\s+1\nSeccomp:\s+2/)
  expect(said[0]).not.toMatch(/^0\n/)
  expect(said[1]).toMatch(/Read-only file system[\s\S]*Operation not permitted/)
  expect(said[2]).not.toContain('of the worker')
  expect(said[2]).toMatch(/on\n$/)
}

describe.runIf(isSandboxed)('a sandbox', () => {
  test('made by whoever runs the tests confines, and is removed with what was closed in it', async () => {
    expectConfined(await trial(SCRIPTS))
  })

  test.runIf(process.geteuid?.() === 0)('made by a user without rights does so too', async () => {
    const made = await trial(SCRIPTS, { uid: NOBODY, gid: NOBODY })
    expectConfined(made)
    expect(made.closed).toEqual({ uid: NOBODY, mode: 0o700 })
  })

  test.runIf(process.geteuid?.() === 0)(
    'made by root gives its command a user who is nobody else',
    async () => {
      const made = await trial(SCRIPTS)
      expect(made.closed.uid).toBeGreaterThan(NOBODY)
    },
  )

  test('that cannot be made runs nothing', async () => {
    const sandbox = await Sandbox.open({ path: '/nowhere' })
    const { signal } = new AbortController()
    expect(sandbox.confinement).toEqual({
      kind: 'unavailable',
      reason: 'bubblewrap (bwrap) is not installed',
    })
    await expect(sandbox.run({ argv: ['true'], root: tmpdir(), signal })).rejects.toThrow('not installed')
  })

  test('ends a command at once when its signal is aborted, before it began as well', async () => {
    const sandbox = await Sandbox.open({ path: process.env.PATH ?? '' })
    const root = await mkdtemp(join(tmpdir(), 'devflow-abort-'))
    onTestFinished(() => rm(root, { recursive: true, force: true }))
    await mkdir(join(root, '.git'))
    const waiting = new AbortController()
    const run = sandbox.run({ argv: ['sleep', '600'], root, signal: waiting.signal })
    setImmediate(() => waiting.abort(new Error('enough')))
    await expect(run).rejects.toThrow('enough')
    await expect(sandbox.run({ argv: ['true'], root, signal: waiting.signal })).rejects.toThrow('enough')
  })
})

test('the filter is one for this processor, in whole instructions, and none for one that is not known', () => {
  expect(seccompFilter('x64')?.length).toBeGreaterThan(400)
  expect((seccompFilter('arm64')?.length ?? 1) % 8).toBe(0)
  expect(seccompFilter('mips')).toBeUndefined()
})

test('output keeps its head and tail, whatever pieces it comes in', () => {
  for (const size of [1, 7, 4096]) {
    const output = new CapturedOutput(20)
    const text = Buffer.from(Array.from({ length: 100 }, (_, index) => `${index}\n`).join(''))
    for (let at = 0; at < text.length; at += size) output.push(text.subarray(at, at + size))
    expect(output.text()).toBe(
      `${text.subarray(0, 10)}\n[… ${text.length - 20} bytes are left out here …]\n${text.subarray(-10)}`,
    )
  }
})

test('a folder that turns into a link to the outside while a tool reads shows nothing of the outside', async () => {
  const top = await mkdtemp(join(tmpdir(), 'devflow-race-'))
  onTestFinished(() => rm(top, { recursive: true, force: true }))
  const root = join(top, 'root')
  for (const folder of ['root/real', 'outside']) await mkdir(join(top, folder), { recursive: true })
  await writeFile(join(root, 'real', 'file'), 'inside')
  await writeFile(join(top, 'outside', 'file'), 'OUTSIDE')
  await symlink(join(top, 'outside'), join(root, 'link'))
  // Exchanges the folder and the link as fast as it can: what a process of the workspace could do.
  const swapper = new Worker(
    `const { renameSync } = require('node:fs'); const { workerData: r } = require('node:worker_threads')
     for (;;) { for (const [a, b] of [['real', 'x'], ['link', 'real'], ['real', 'link'], ['x', 'real']]) renameSync(r + '/' + a, r + '/' + b) }`,
    { eval: true, workerData: root },
  )
  const { signal } = new AbortController()
  const said = new Set<string>()
  for (let tries = 0; tries < 1_000; tries += 1) {
    const calls = [
      { name: 'read_file', arguments: '{"path":"real/file"}' },
      { name: 'search_files', arguments: '{"pattern":"OUT","path":"."}' },
    ]
    for (const call of calls) said.add((await runTool(call, { root, signal })).content)
  }
  await swapper.terminate()
  expect([...said].filter((text) => text.includes('OUTSIDE'))).toEqual([])
  expect([...said].some((text) => text.includes('inside'))).toBe(true)
  expect([...said].some((text) => /leads outside|another file/.test(text))).toBe(true)
})
