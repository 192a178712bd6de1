import { execFileSync } from 'node:child_process'
import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isGitName } from './git-name.ts'
import { runTool } from './index.ts'

let top: string
let root: string
const SECRET = 'this lies outside'

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'devflow-writing-'))
  root = join(top, 'workspace')
  await mkdir(join(root, 'src'), { recursive: true })
  await mkdir(join(root, '.git'))
  await mkdir(join(top, 'outside'))
  await writeFile(join(top, 'outside/secret.txt'), SECRET)
  await writeFile(join(root, '.git/config'), 'url = https://token@host')
  await writeFile(join(root, 'README.md'), '# Title\n\nFirst words.\n')
  await symlink('README.md', join(root, 'inner-link'))
  await symlink('src', join(root, 'inner-folder'))
  await symlink('../outside', join(root, 'outer-link'))
  await symlink('../outside/secret.txt', join(root, 'outer-file'))
  await symlink('../outside/new.txt', join(root, 'dangling'))
  await symlink('.git', join(root, 'git-link'))
  await link(join(top, 'outside/secret.txt'), join(root, 'second-name'))
  execFileSync('mkfifo', [join(root, 'pipe')])
})
afterEach(() => rm(top, { recursive: true }))

const run = (name: string, args: unknown) =>
  runTool({ name, arguments: JSON.stringify(args) }, { root, signal: new AbortController().signal })
const write = (path: string, content = 'mine') => run('write_file', { path, content })
const edit = (path: string, old: string, replacement: string, more: object = {}) =>
  run('edit_file', { path, old, new: replacement, ...more })
const at = (path: string) => readFile(join(root, path), 'utf8')
const outside = () => execFileSync('find', [join(top, 'outside'), '-printf', '%p %T@ %s %m %i\n']).toString()

describe('write_file', () => {
  test('makes a file with its directories, and says how large it is', async () => {
    expect(await write('docs/deep/a.md', 'héllo\n')).toEqual({
      ok: true,
      content: 'created docs/deep/a.md (7 bytes)',
      wrote: ['docs/deep/a.md'],
    })
    expect(await at('docs/deep/a.md')).toBe('héllo\n')
  })

  test('replaces a file and keeps its mode', async () => {
    await chmod(join(root, 'README.md'), 0o755)
    expect((await write('./README.md')).content).toBe('replaced README.md (4 bytes)')
    expect((await stat(join(root, 'README.md'))).mode & 0o777).toBe(0o755)
    expect((await readdir(root)).filter((name) => name.includes('draft'))).toEqual([])
  })

  test('takes absolute paths into the workspace', async () => {
    expect((await write(join(root, 'src/b.ts'))).ok).toBe(true)
  })

  test.each(['src', '.', 'README.md/below', 'new/', 'x'.repeat(300)])(
    'tells what is wrong with %j',
    async (path) => {
      const result = await write(path)
      expect(result).toMatchObject({ ok: false })
      expect(result.denied).toBeUndefined()
    },
  )

  test('refuses what is too large, and changes nothing', async () => {
    expect((await write('README.md', 'x'.repeat(3_000_000))).content).toMatch(/at most 2097152/)
    expect(await at('README.md')).toContain('# Title')
  })
})

describe('edit_file', () => {
  test('replaces the one place, byte for byte around it', async () => {
    await writeFile(join(root, 'src/a.ts'), '\uFEFFconst a = 1 // $&\r\nconst b = 2\n')
    expect(await edit('src/a.ts', '= 1 // $&', '= 3 // $1')).toMatchObject({ ok: true, wrote: ['src/a.ts'] })
    expect(await at('src/a.ts')).toBe('\uFEFFconst a = 3 // $1\r\nconst b = 2\n')
  })

  test('tells a text that is not there from one that stands too often', async () => {
    await writeFile(join(root, 'twice.txt'), 'one one')
    expect((await edit('twice.txt', 'two', 'x')).content).toMatch(/does not hold that text/)
    expect((await edit('twice.txt', 'one', 'x')).content).toMatch(/2 times/)
    expect((await edit('twice.txt', 'one', 'one')).content).toMatch(/the same/)
    expect((await edit('twice.txt', '', 'x')).ok).toBe(false)
    expect((await edit('twice.txt', 'one', 'x', { replaceAll: true })).content).toMatch(/2 places/)
    expect(await at('twice.txt')).toBe('x x')
  })

  test('finds lines as read_file shows them in a file with other line breaks', async () => {
    await writeFile(join(root, 'dos.txt'), 'a\r\nb\r\nc\r\n')
    expect((await edit('dos.txt', 'a\nb', 'a\nx\nb')).ok).toBe(true)
    expect(await at('dos.txt')).toBe('a\r\nx\r\nb\r\nc\r\n')
  })

  test('leaves alone what is no text', async () => {
    await writeFile(join(root, 'latin.txt'), Buffer.from([0x63, 0xe9]))
    expect((await edit('latin.txt', 'c', 'd')).content).toMatch(/no text in UTF-8/)
    expect((await edit('nothing.txt', 'c', 'd')).content).toMatch(/write_file makes it/)
  })
})

describe('containment of what is written', () => {
  test.each([
    '../outside/secret.txt',
    '..',
    'src/../../outside/new.txt',
    '/etc/devflow-was-here',
    'outer-link/secret.txt',
    'outer-link/new.txt',
    'outer-file',
    'dangling',
    'inner-link',
    'inner-folder/a.ts',
    'second-name',
    'pipe',
    '.git/config',
    '.GIT/hooks/post-checkout',
    '.git',
    'src/.git/config',
    'src/../.git/config',
    'git-link/config',
    '.git./config',
    '.git /config',
    '.git::$INDEX_ALLOCATION/config',
    'GIT~1/config',
    '.g\u200cit/config',
    '.gi\u0307t/config',
    '\uff0egit/config',
    '.g\u0131t/config',
    '.git\\config',
    'a\\..\\..\\x',
    'trailing.',
    'trailing ',
    'nul',
    'con.txt',
    'a:stream',
    'line\nbreak',
    '\0',
  ])('denies %j to both tools', async (path) => {
    const before = outside()
    const config = await at('.git/config')
    for (const result of [await write(path), await edit(path, 'o', 'x')]) {
      expect(result).toMatchObject({ ok: false, denied: true })
      expect(result.content).not.toContain(SECRET)
    }
    expect(outside()).toBe(before)
    expect(await at('.git/config')).toBe(config)
    expect((await lstat(join(root, 'inner-link'))).isSymbolicLink()).toBe(true)
  })

  test('a file with a second name is not read either', async () => {
    expect(await run('read_file', { path: 'second-name' })).toMatchObject({ ok: false, denied: true })
    expect((await run('search_files', { pattern: SECRET })).content).toMatch(/^\[0 matches/)
  })

  test('holds for any path put together from its hard parts', async () => {
    const part = fc.constantFrom(
      '..',
      '.',
      '',
      'src',
      'outer-link',
      'git-link',
      '.git',
      'outside',
      'a',
      'config',
      'inner-folder',
      'outer-file',
    )
    const before = outside()
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('', '/', './', '../'),
        fc.array(part, { maxLength: 6 }),
        async (start, parts) => {
          await write(start + parts.join('/') || '.')
          expect(outside()).toBe(before)
          expect((await readdir(top)).sort()).toEqual(['outside', 'workspace'])
          expect(await readdir(join(root, '.git'))).toEqual(['config'])
        },
      ),
      { numRuns: 200 },
    )
  })
})

test.each(['.gitignore', '.gitattributes', '.github', 'git', '.gitx', 'git~', 'agit~1'])(
  '%s is no name of git’s',
  (name) => expect(isGitName(name)).toBe(false),
)
