import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openWorkspace } from './index.ts'
import { pruneSetups, putSetup, setUp } from './setup.ts'

let top: string
let repo: string
let runs: string[][]

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@t', ...args], { cwd: repo, stdio: 'pipe' })

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'devflow-setup-'))
  repo = join(top, 'projects/app')
  runs = []
  await mkdir(repo, { recursive: true })
  git('init', '-q', '-b', 'main')
  await writeFile(join(repo, 'package-lock.json'), '{"a":1}')
  await writeFile(join(repo, 'code.js'), 'code')
  git('add', '.')
  git('commit', '-qm', 'one')
})
afterEach(() => rm(top, { recursive: true, force: true }))

const open = (epoch: number) =>
  openWorkspace({
    repo,
    roots: [join(top, 'projects')],
    dataDir: join(top, 'data'),
    runId: '1',
    phase: 'p',
    attempt: 1,
    epoch,
  })

/** As a package manager does: makes a folder with links, and touches a file of the repository's. */
const install = async (argv: readonly string[], root: string) => {
  runs.push([...argv])
  await mkdir(join(root, 'node modules!/.bin'), { recursive: true })
  await writeFile(join(root, 'node modules!/lib.js'), await readFile(join(root, 'package-lock.json')))
  await symlink('../lib.js', join(root, 'node modules!/.bin/lib'))
  await writeFile(join(root, 'code.js'), 'touched')
}
const make = (epoch: number, commands = [['npm', 'ci']]) =>
  setUp({ dataDir: join(top, 'data'), repo, commands, open: () => open(epoch), run: install })

test('is run once for the same lockfiles, and what it made joins every workspace outside of its snapshots', async () => {
  expect(await make(1)).toMatchObject({ isCached: false, paths: ['node modules!'] })
  await writeFile(join(repo, 'code.js'), 'other code')
  git('commit', '-qam', 'two')
  const made = await make(2)
  expect(made.isCached).toBe(true)
  expect(runs).toEqual([['npm', 'ci']])

  const workspace = await open(3)
  await putSetup(made, workspace)
  expect(await readFile(join(workspace.root, 'node modules!/lib.js'), 'utf8')).toBe('{"a":1}')
  expect(await readlink(join(workspace.root, 'node modules!/.bin/lib'))).toBe('../lib.js')
  expect(await readFile(join(workspace.root, 'code.js'), 'utf8')).toBe('other code')
  expect(await workspace.tree.commit('nothing')).toBeUndefined()
  await writeFile(join(workspace.root, 'node modules!/mine.js'), 'mine')
  expect(await workspace.tree.commit('mine', ['node modules!/mine.js'])).toBeDefined()
})

test('is run again for other lockfiles and other commands', async () => {
  await make(1)
  await make(2, [['npm', 'ci', '--omit=dev']])
  await writeFile(join(repo, 'package-lock.json'), '{"a":2}')
  git('commit', '-qam', 'three')
  await make(3)
  expect(runs).toHaveLength(3)
})

test('that fails keeps nothing', async () => {
  const failing = setUp({
    dataDir: join(top, 'data'),
    repo,
    commands: [['npm', 'ci']],
    open: () => open(1),
    run: () => Promise.reject(new Error('exit 1')),
  })
  await expect(failing).rejects.toThrow('exit 1')
  expect((await make(2)).isCached).toBe(false)
})

test('is forgotten when it was not used for long', async () => {
  const { folder } = await make(1)
  await pruneSetups(join(top, 'data'), new Date(Date.now() - 60_000))
  expect((await stat(folder)).isDirectory()).toBe(true)
  await pruneSetups(join(top, 'data'), new Date(Date.now() + 60_000))
  await expect(stat(folder)).rejects.toThrow('ENOENT')
})
