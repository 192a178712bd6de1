import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DevflowError } from '@devflow/contracts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { closeWorkspace, openWorkspace, removeWorkspaces, resolveBase, runWorkspaces } from './index.ts'

let top: string
let roots: string[]
let repo: string
let dataDir: string

const git = (cwd: string, ...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@t', '-c', 'commit.gpgsign=false', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/bin:/bin:/usr/local/bin', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  }).trim()

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'devflow-workspace-'))
  roots = [join(top, 'projects')]
  repo = join(top, 'projects', 'app')
  dataDir = join(top, 'data')
  await mkdir(repo, { recursive: true })
  git(repo, 'init', '-q', '-b', 'main')
  await writeFile(join(repo, 'README.md'), '# One\n')
  git(repo, 'add', '.')
  git(repo, 'commit', '-qm', 'one')
})
afterEach(() => rm(top, { recursive: true, force: true }))

const ask = (more: object = {}) => ({
  repo,
  dataDir,
  roots,
  runId: '0198',
  phase: 'spec',
  attempt: 1,
  epoch: 1,
  ...more,
})
const head = () => git(repo, 'rev-parse', 'HEAD')

async function commit(text: string): Promise<string> {
  await writeFile(join(repo, 'README.md'), text)
  git(repo, 'commit', '-qam', text)
  return head()
}

/** Everything in a folder with content and time of change: what must not differ afterwards. */
function fingerprint(path: string): string {
  return execFileSync('find', [path, '-printf', '%p %T@ %s %m\n'], { encoding: 'utf8' })
}

describe('opening', () => {
  test('yields a clone at HEAD, detached and without a remote', async () => {
    const { root, commit: at } = await openWorkspace(ask())
    expect(at).toBe(head())
    expect(await readFile(join(root, 'README.md'), 'utf8')).toBe('# One\n')
    expect(git(root, 'status', '--porcelain=v1', '-b')).toBe('## HEAD (no branch)')
    expect(git(root, 'remote')).toBe('')
  })

  test('goes to a branch, a tag or a commit, and is the same for the same owner', async () => {
    const first = head()
    git(repo, 'tag', '-a', '-m', 'v1', 'v1')
    git(repo, 'branch', 'old/one')
    const second = await commit('# Two\n')
    expect((await openWorkspace(ask({ base: 'v1', epoch: 1 }))).commit).toBe(first)
    expect((await openWorkspace(ask({ base: 'old/one', epoch: 2 }))).commit).toBe(first)
    expect((await openWorkspace(ask({ base: first, epoch: 3 }))).commit).toBe(first)
    const at = await openWorkspace(ask({ epoch: 4 }))
    expect(at.commit).toBe(second)
    await writeFile(join(at.root, 'mine.txt'), 'kept')
    const again = await openWorkspace(ask({ epoch: 4 }))
    expect(again).toEqual(at)
    expect(await readFile(join(again.root, 'mine.txt'), 'utf8')).toBe('kept')
  })

  test('of a commit once seen works though the repository has lost it', async () => {
    const first = await commit('# Lost\n')
    await openWorkspace(ask())
    git(repo, 'reset', '-q', '--hard', 'HEAD~1')
    git(repo, 'reflog', 'expire', '--expire=now', '--all')
    git(repo, 'gc', '-q', '--prune=now')
    const { root, commit: at } = await openWorkspace(ask({ base: first, epoch: 2 }))
    expect(at).toBe(first)
    expect(await readFile(join(root, 'README.md'), 'utf8')).toBe('# Lost\n')
  })

  test('never writes to the repository, and runs nothing that lies in it', async () => {
    const mark = join(top, 'ran')
    const hook = `#!/bin/sh\ntouch ${mark}\n`
    for (const name of ['post-checkout', 'pre-commit', 'reference-transaction', 'post-index-change']) {
      await writeFile(join(repo, '.git/hooks', name), hook)
      await chmod(join(repo, '.git/hooks', name), 0o755)
    }
    git(repo, 'config', 'core.fsmonitor', `touch ${mark}`)
    git(repo, 'config', 'uploadpack.packObjectsHook', `touch ${mark};`)
    git(repo, 'config', 'filter.evil.smudge', `touch ${mark}; cat`)
    await writeFile(join(repo, '.gitattributes'), '*.md filter=evil\n')
    git(repo, '-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', 'add', '.gitattributes')
    git(repo, '-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', 'commit', '-qm', 'attributes')
    await rm(mark, { force: true })
    const before = fingerprint(repo)
    await openWorkspace(ask())
    expect(fingerprint(repo)).toBe(before)
    await expect(stat(mark)).rejects.toThrow('ENOENT')
  })

  test('takes linked worktrees, detached heads, bare and shallow repositories', async () => {
    await commit('# Two\n')
    git(repo, 'worktree', 'add', '-q', '--detach', '../linked', 'HEAD~1')
    git(repo, 'clone', '-q', '--bare', '.', '../bare.git')
    git(roots[0] ?? '', 'clone', '-q', '--depth=1', `file://${repo}`, 'shallow')
    const at = async (name: string) =>
      readFile(
        join(
          (await openWorkspace(ask({ repo: join(top, 'projects', name), phase: 'p', runId: name }))).root,
          'README.md',
        ),
        'utf8',
      )
    expect(await at('linked')).toBe('# One\n')
    expect(await at('bare.git')).toBe('# Two\n')
    expect(await at('shallow')).toBe('# Two\n')
  })

  test('twenty times at once, from two processes, yields twenty whole clones', async () => {
    const script = `
      import { openWorkspace } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
      const ask = JSON.parse(process.argv[1])
      await Promise.all(Array.from({ length: 10 }, (_, n) => openWorkspace({ ...ask, epoch: ask.epoch + n })))`
    const run = (epoch: number) =>
      new Promise<number | null>((resolve) => {
        const args = ['--input-type=module', '-e', script, JSON.stringify(ask({ epoch }))]
        spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] }).once('exit', resolve)
      })
    expect(await Promise.all([run(1), run(11)])).toEqual([0, 0])
    const clones = (await readdir(join(dataDir, 'workspaces', '0198'))).filter(
      (name) => !name.endsWith('.git'),
    )
    expect(clones).toHaveLength(20)
    for (const clone of clones)
      expect(await readFile(join(dataDir, 'workspaces', '0198', clone, 'README.md'), 'utf8')).toBe('# One\n')
    expect(await readdir(join(dataDir, 'mirrors'))).toHaveLength(1)
  })

  test('while others write into the mirror yields whole clones', async () => {
    await openWorkspace(ask())
    const [name] = await readdir(join(dataDir, 'mirrors'))
    const texts = Array.from({ length: 3_000 }, (_, n) => join(top, `text-${n}`))
    await Promise.all(texts.map((path) => writeFile(path, path)))
    // As a fetch does it that unpacks: each object is written under another name first.
    const writing = spawn('git', ['hash-object', '-w', '--stdin-paths'], {
      cwd: join(dataDir, 'mirrors', name ?? ''),
      stdio: ['pipe', 'ignore', 'inherit'],
    })
    const written = once(writing, 'exit')
    writing.stdin.end(`${texts.join('\n')}\n`)
    let epoch = 1
    while (writing.exitCode === null) {
      epoch += 1
      const { root } = await openWorkspace(ask({ epoch }))
      expect(await readFile(join(root, 'README.md'), 'utf8')).toBe('# One\n')
      expect(git(root, 'fsck', '--no-dangling')).toBe('')
    }
    expect(await written).toEqual([0, null])
    expect(epoch).toBeGreaterThan(1)
  })

  test('after a fetch that was killed half-way fetches anew', async () => {
    await openWorkspace(ask())
    const next = await commit('# Two\n')
    const [name] = await readdir(join(dataDir, 'mirrors'))
    const mirror = join(dataDir, 'mirrors', name ?? '')
    // What such a fetch leaves: the commit's object without its tree, a lock on its ref, a pack half-written.
    const object = execFileSync('git', ['cat-file', 'commit', next], { cwd: repo })
    execFileSync('git', ['hash-object', '-w', '-t', 'commit', '--literally', '--stdin'], {
      cwd: mirror,
      input: object,
    })
    await mkdir(join(mirror, 'refs/devflow', next), { recursive: true })
    await writeFile(join(mirror, 'refs/devflow', next, 'dead.lock'), '')
    await mkdir(join(mirror, 'objects/pack'), { recursive: true })
    await writeFile(join(mirror, 'objects/pack/tmp_pack_x1'), 'PACK')
    const { root, commit: at } = await openWorkspace(ask({ epoch: 2 }))
    expect(at).toBe(next)
    expect(await readFile(join(root, 'README.md'), 'utf8')).toBe('# Two\n')
  })
})

describe('a repository elsewhere', () => {
  /** Serves the projects by git's own protocol, on a port of its own. */
  async function serve() {
    const port = await freePort()
    const child = spawn(
      'git',
      ['daemon', '--listen=127.0.0.1', `--port=${port}`, '--export-all', `--base-path=${roots[0]}`],
      {
        stdio: 'ignore',
        detached: true,
      },
    )
    const url = `git://127.0.0.1:${port}`
    for (let tries = 0; tries < 200; tries += 1)
      try {
        git(top, 'ls-remote', `${url}/app`)
        break
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    return { url, stop: () => process.kill(-(child.pid ?? 0), 'SIGKILL') }
  }

  test('is cloned where its address is allowed, by branch, tag, commit and default', async () => {
    git(repo, 'tag', '-a', '-m', 'v1', 'v1')
    const first = head()
    const second = await commit('# Two\n')
    const server = await serve()
    try {
      const at = (epoch: number, base?: string) =>
        openWorkspace(ask({ repo: `${server.url}/app`, roots: [`${server.url}/*`], epoch, base }))
      expect((await at(1)).commit).toBe(second)
      expect((await at(2, 'main')).commit).toBe(second)
      expect((await at(3, 'v1')).commit).toBe(first)
      const { root, commit: pinned } = await at(4, first)
      expect(pinned).toBe(first)
      expect(await readFile(join(root, 'README.md'), 'utf8')).toBe('# One\n')
      await expect(at(5, 'nosuch')).rejects.toMatchObject({ code: 'unknown_base' })
    } finally {
      server.stop()
    }
    const away = openWorkspace(
      ask({ repo: `${server.url}/app`, roots: [`${server.url}/*`], epoch: 6, base: 'main' }),
    )
    await expect(away).rejects.toMatchObject({ code: 'repository_unreachable' })
  })

  test('is tried again, and no failure for good, where the system ended git in the middle', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `git://127.0.0.1:${(server.address() as AddressInfo).port}`
    const opening = openWorkspace(ask({ repo: `${url}/app`, roots: [`${url}/*`], base: 'main' }))
    const connected = once(server, 'connection')
    const failure = opening.catch((error: unknown) => error)
    const [socket] = (await connected) as [Socket]
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandOf(name).includes(url))
    for (const pid of pids) process.kill(Number(pid), 'SIGKILL')
    expect(await failure).not.toBeInstanceOf(DevflowError)
    expect(await failure).toMatchObject({ message: 'git ls-remote was ended by SIGKILL' })
    socket.destroy()
    server.close()
  })
})

const commandOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // It has ended.
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

describe('refusals', () => {
  const refusal = (more: object): Promise<unknown> =>
    openWorkspace(ask(more)).catch((caught: unknown) => caught)

  test.each([
    '../outside',
    '/etc',
    'https://example.com/x.git',
    'ext::sh -c id',
    '../nothing',
    '/no/such/path',
  ])('repository %s lies outside the roots', async (path) => {
    await mkdir(join(top, 'outside'), { recursive: true })
    expect(await refusal({ repo: path === 'ext::sh -c id' ? '/ext::sh -c id' : path })).toMatchObject({
      kind: 'PERMISSION_DENIED',
      code: 'workspace_outside_roots',
    })
  })

  test('a link that leads outside lies outside, and so does a folder whose git folder does', async () => {
    const outside = join(top, 'outside')
    await mkdir(outside)
    git(outside, 'init', '-q')
    await symlink(outside, join(top, 'projects/link'))
    expect(await refusal({ repo: join(top, 'projects/link') })).toMatchObject({
      code: 'workspace_outside_roots',
    })
    await mkdir(join(top, 'projects/split'))
    await writeFile(join(top, 'projects/split/.git'), `gitdir: ${join(outside, '.git')}\n`)
    expect(await refusal({ repo: join(top, 'projects/split') })).toMatchObject({
      code: 'workspace_outside_roots',
    })
  })

  test('what is no repository of its own is told so', async () => {
    await mkdir(join(repo, 'src'))
    await writeFile(join(top, 'projects/file'), '')
    for (const path of [join(repo, 'src'), join(top, 'projects/file'), join(top, 'projects/none')])
      expect(await refusal({ repo: path })).toMatchObject({ kind: 'INVALID', code: 'not_a_repository' })
  })

  test.each(['nosuch', '0'.repeat(40), 'HEAD:README.md', '--all', 'a b', 'HEAD^{tree}'])(
    'base %s is unknown',
    async (base) => {
      expect(await refusal({ base })).toMatchObject({ kind: 'INVALID', code: 'unknown_base' })
    },
  )

  test('an empty repository has nothing to work on', async () => {
    const empty = join(top, 'projects/empty')
    await mkdir(empty)
    git(empty, 'init', '-q')
    expect(await refusal({ repo: empty })).toMatchObject({ kind: 'INVALID', code: 'empty_repository' })
  })

  test('leave nothing behind', async () => {
    await refusal({ base: 'nosuch' })
    expect(await readdir(dataDir)).toEqual(['git-home'])
  })
})

test('resolveBase names the commit a submission pins', async () => {
  expect(await resolveBase({ repo, roots, dataDir })).toEqual({ repository: repo, commit: head() })
  expect((await resolveBase({ repo: 'app', base: 'main', roots, dataDir })).commit).toBe(head())
  await expect(resolveBase({ repo, base: 'x', roots, dataDir })).rejects.toMatchObject({
    code: 'unknown_base',
  })
})

test('closing removes one epoch, or what was found of a run, and may be repeated', async () => {
  const one = await openWorkspace(ask())
  const two = await openWorkspace(ask({ epoch: 2 }))
  await closeWorkspace(ask())
  await closeWorkspace(ask())
  await expect(stat(one.root)).rejects.toThrow('ENOENT')
  expect((await stat(two.root)).isDirectory()).toBe(true)
  const found = await runWorkspaces(ask())
  const three = await openWorkspace(ask({ attempt: 2, epoch: 1 }))
  await removeWorkspaces(ask(), found)
  await removeWorkspaces(ask(), found)
  await expect(stat(two.root)).rejects.toThrow('ENOENT')
  expect(await three.tree.commit('Nothing')).toBeUndefined()
  await removeWorkspaces(ask(), await runWorkspaces(ask()))
  await removeWorkspaces(ask(), [])
  expect(await readdir(join(dataDir, 'workspaces'))).toEqual([])
})

test.runIf(process.getuid?.() === 0)('a repository of another user is read', async () => {
  execFileSync('chown', ['-R', '65534:65534', repo])
  const { root } = await openWorkspace(ask())
  expect(await readFile(join(root, 'README.md'), 'utf8')).toBe('# One\n')
})
