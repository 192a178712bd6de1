import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { closeWorkspace, type Link, mergeBranches, openStore, openWorkspace, type Tree } from './index.ts'

let top: string
let repo: string
let blobs: string

const git = (cwd: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@t', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/bin:/bin:/usr/local/bin', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  }).trim()

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'devflow-tree-'))
  repo = join(top, 'projects/app')
  blobs = join(top, 'blobs')
  await mkdir(join(repo, 'src'), { recursive: true })
  await mkdir(blobs)
  git(repo, 'init', '-q', '-b', 'main')
  await writeFile(join(repo, 'README.md'), 'one\ntwo\nthree\nfour\nfive\n')
  await writeFile(join(repo, 'src/a.ts'), 'export const a = 1\n')
  await writeFile(join(repo, '.gitignore'), 'dist/\n*.log\n')
  await writeFile(join(repo, '.gitattributes'), '* text=auto eol=crlf\n*.ts ident filter=evil\n')
  git(repo, 'add', '.')
  git(repo, 'commit', '-qm', 'one')
})
afterEach(() => rm(top, { recursive: true, force: true }))

/** A worker with a disk of its own: nothing but the blobs is shared. */
const ask = (disk: string, epoch = 1, chain: Link[] = []) => ({
  repo,
  roots: [join(top, 'projects')],
  dataDir: join(top, disk),
  runId: '0198',
  phase: 'fix',
  attempt: 1,
  epoch,
  restore: { chain, load: (sha256: string, file: string) => copyFile(join(blobs, sha256), file) },
})

/** Commits the files and stores the bundle, as a session does; answers the chain with the new link. */
async function keep(tree: Tree, chain: Link[], wrote: string[] = [], base = tree.head): Promise<Link[]> {
  const made = await tree.commit('a turn', wrote)
  if (!made) return chain
  const file = join(top, 'made.bundle')
  await tree.store.bundle(file, base, made.commit)
  const bytes = await readFile(file)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  await writeFile(join(blobs, sha256), bytes)
  tree.moveTo(made.commit)
  const link = { sha256, commit: made.commit, base }
  return base === chain.at(-1)?.commit || chain.length === 0 ? [...chain, link] : [link]
}

const has = (path: string) => lstat(path).then(Boolean, () => false)

describe('a snapshot', () => {
  test('brings every change to a worker with another disk: new, changed, deleted, moved, linked, executable', async () => {
    const { root, tree } = await openWorkspace(ask('one'))
    expect(await keep(tree, [])).toEqual([])
    await writeFile(join(root, 'src/a.ts'), 'export const a = 2\n')
    await mkdir(join(root, 'docs'))
    await writeFile(join(root, 'docs/höhe \n.bin'), Buffer.from([0, 13, 10, 255]))
    await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x66, 0xe9])]), 'latin')
    const first = await keep(tree, [])
    await rm(join(root, 'README.md'))
    await writeFile(join(root, 'run.sh'), 'echo\r\n')
    await chmod(join(root, 'run.sh'), 0o755)
    await symlink('run.sh', join(root, 'link'))
    await rm(join(root, 'docs'), { recursive: true })
    await writeFile(join(root, 'docs'), 'now a file')
    const chain = await keep(tree, first)
    expect(chain).toHaveLength(2)

    const there = await openWorkspace(ask('two', 2, chain))
    const at = (path: string) => readFile(join(there.root, path), 'utf8')
    expect(await at('src/a.ts')).toBe('export const a = 2\n')
    expect(await at('docs')).toBe('now a file')
    expect(await at('run.sh')).toBe('echo\r\n')
    expect((await stat(join(there.root, 'run.sh'))).mode & 0o111).not.toBe(0)
    expect(await readlink(join(there.root, 'link'))).toBe('run.sh')
    expect(await has(join(there.root, 'README.md'))).toBe(false)
    expect(
      (await readFile(Buffer.concat([Buffer.from(`${there.root}/`), Buffer.from([0x66, 0xe9])]))).toString(),
    ).toBe('latin')
    expect(await keep(there.tree, chain)).toBe(chain)
    // Who works there sees what the run has changed so far.
    const changed = git(there.root, 'diff', '--name-status', 'HEAD').split('\n').sort()
    expect(changed).toEqual(['D\tREADME.md', 'M\tsrc/a.ts'])
    expect(git(there.root, 'rev-parse', 'HEAD')).toBe(there.commit)
  })

  test('holds what the repository ignores only where a tool wrote it', async () => {
    const { root, tree } = await openWorkspace(ask('one'))
    await mkdir(join(root, 'dist'))
    await writeFile(join(root, 'dist/out.js'), 'made')
    await writeFile(join(root, 'noise.log'), 'noise')
    const chain = await keep(tree, [], ['dist/out.js'])
    await writeFile(join(root, 'dist/out.js'), 'made again')
    const there = await openWorkspace(ask('two', 2, await keep(tree, chain)))
    expect(await readFile(join(there.root, 'dist/out.js'), 'utf8')).toBe('made again')
    expect(await has(join(there.root, 'noise.log'))).toBe(false)
  })

  test('of all since the base makes the chain before it needless', async () => {
    const { root, tree, commit } = await openWorkspace(ask('one'))
    let chain: Link[] = []
    for (const n of [1, 2, 3]) {
      await writeFile(join(root, `${n}.txt`), String(n))
      chain = await keep(tree, chain, [], n === 3 ? commit : undefined)
    }
    expect(chain).toHaveLength(1)
    const there = await openWorkspace(ask('two', 2, chain))
    expect(await has(join(there.root, '1.txt'))).toBe(true)
  })

  test('runs nothing that was put into the workspace, not even in repositories inside it', async () => {
    const { root, tree } = await openWorkspace(ask('one'))
    const mark = join(top, 'ran')
    const evil = (folder: string) => {
      git(folder, 'config', 'core.fsmonitor', `touch ${mark}; false`)
      git(folder, 'config', 'core.hooksPath', join(folder, 'hooks'))
      git(folder, 'config', 'filter.evil.clean', `touch ${mark}; cat`)
      git(folder, 'config', 'filter.evil.smudge', `touch ${mark}; cat`)
    }
    await mkdir(join(root, 'inner'))
    git(join(root, 'inner'), 'init', '-q')
    await writeFile(join(root, 'inner/.gitattributes'), '* filter=evil\n')
    await writeFile(join(root, 'inner/file.ts'), 'inner')
    git(join(root, 'inner'), 'add', '.')
    git(join(root, 'inner'), 'commit', '-qm', 'inner')
    evil(join(root, 'inner'))
    evil(root)
    const first = await keep(tree, [])
    await writeFile(join(root, 'inner/file.ts'), 'inner changed')
    await writeFile(join(root, 'src/a.ts'), 'changed')
    const chain = await keep(tree, first)
    expect(await has(mark)).toBe(false)
    const there = await openWorkspace(ask('two', 2, chain))
    expect(await readFile(join(there.root, 'inner/file.ts'), 'utf8')).toBe('inner changed')
    expect(await has(join(there.root, 'inner/.git'))).toBe(false)
  })

  test('leaves out what git cannot hold, and says so', async () => {
    const { root, tree } = await openWorkspace(ask('one'))
    await writeFile(join(root, 'git~1'), 'x')
    await symlink('README.md', join(root, '.gitmodules'))
    await writeFile(join(root, 'fine.txt'), 'x')
    const made = await tree.commit('a turn')
    expect(made?.left).toEqual(['.gitmodules'])
    expect(await tree.store.run(['ls-tree', '--name-only', made?.commit ?? ''])).toContain('fine.txt')
  })

  test('leaves nothing behind once its owner is done', async () => {
    await openWorkspace(ask('one'))
    await closeWorkspace(ask('one'))
    expect(await has(join(top, 'one/workspaces/0198'))).toBe(false)
  })

  test('cannot be taken from a bundle whose base is missing', async () => {
    const { root, tree } = await openWorkspace(ask('one'))
    await writeFile(join(root, '1.txt'), '1')
    const first = await keep(tree, [])
    await writeFile(join(root, '2.txt'), '2')
    const [, second] = await keep(tree, first)
    await expect(openWorkspace(ask('two', 2, second ? [second] : []))).rejects.toMatchObject({
      code: 'git_failed',
    })
  })
})

describe('joining branches', () => {
  /** What branches make of the files; answers what the join needs. */
  async function fork(...changes: ((root: string) => Promise<void>)[]) {
    const chains: Link[][] = []
    for (const [index, change] of changes.entries()) {
      const { root, tree } = await openWorkspace(ask('one', index + 1))
      await change(root)
      chains.push(await keep(tree, []))
    }
    const { store, commit } = await openStore(ask('two'))
    for (const chain of chains) await store.restore(chain, ask('two').restore.load)
    const branches = chains.map((chain, index) => ({
      name: `branch ${index + 1}`,
      commit: chain.at(-1)?.commit ?? commit,
    }))
    return { store, commit, branches }
  }
  const write = (path: string, content: string) => (root: string) => writeFile(join(root, path), content)

  test('puts their changes together, in the same file too', async () => {
    const { store, commit, branches } = await fork(
      write('README.md', 'ONE\ntwo\nthree\nfour\nfive\n'),
      write('src/b.ts', 'b'),
      async () => {},
      write('README.md', 'one\ntwo\nthree\nfour\nFIVE\n'),
    )
    const merged = await mergeBranches(store, commit, branches)
    expect(await store.run(['show', `${merged}:README.md`])).toBe('ONE\ntwo\nthree\nfour\nFIVE')
    expect(await store.run(['show', `${merged}:src/b.ts`])).toBe('b')
    // The same branches in the same order join into the same files, wherever it is done.
    const again = await mergeBranches(store, commit, branches)
    expect(await store.run(['diff', '--name-only', merged, again])).toBe('')
  })

  test('takes one branch as it is, and nothing where nothing changed', async () => {
    const { store, commit, branches } = await fork(async () => {}, write('src/b.ts', 'b'))
    expect(await mergeBranches(store, commit, branches)).toBe(branches[1]?.commit)
    expect(await mergeBranches(store, commit, branches.slice(0, 1))).toBe(commit)
  })

  test.each([
    ['the same lines', write('README.md', 'mine\n'), write('README.md', 'yours\n'), ['README.md']],
    [
      'a deleted file',
      (root: string) => rm(join(root, 'src/a.ts')),
      write('src/a.ts', 'changed'),
      ['src/a.ts'],
    ],
    ['two new files of one name', write('new.txt', 'mine'), write('new.txt', 'yours'), ['new.txt']],
  ])('fails at %s, and names the files', async (_, one, two, files) => {
    const { store, commit, branches } = await fork(one, two)
    const failure = await mergeBranches(store, commit, branches).catch((error: unknown) => error)
    expect(failure).toMatchObject({ kind: 'CONFLICT', code: 'workspace_conflict' })
    expect((failure as { errors: { path: string }[] }).errors.map(({ path }) => path)).toEqual(files)
    expect((failure as Error).message).toContain(files[0])
  })
})
