import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runTool, toolSpecs } from './index.ts'

let top: string
let root: string
const SECRET = 'this lies outside'

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'devflow-tools-'))
  root = join(top, 'workspace')
  await mkdir(join(root, 'src/deep'), { recursive: true })
  await mkdir(join(root, '.git'))
  await mkdir(join(top, 'outside'))
  await writeFile(join(top, 'outside/secret.txt'), SECRET)
  await writeFile(join(top, 'workspace-twin.txt'), SECRET)
  await writeFile(join(root, '.git/config'), 'url = https://token@host')
  await writeFile(join(root, 'README.md'), '# Title\n\nFirst words.\n')
  await writeFile(join(root, 'src/a.ts'), 'export const a = 1\nexport const b = 2\n')
  await writeFile(join(root, 'src/deep/c.js'), 'const c = 3 // TODO (later)\n')
  await writeFile(join(root, 'empty.txt'), '')
  await writeFile(join(root, 'long.txt'), Array.from({ length: 5000 }, (_, n) => `line ${n + 1}`).join('\n'))
  await writeFile(join(root, 'wide.txt'), 'x'.repeat(300_000))
  await writeFile(join(root, 'binary.bin'), Buffer.from([1, 0, 2]))
  await writeFile(join(root, 'odd.txt'), Buffer.from('caf\u00e9 \ufffd', 'utf8'))
  await symlink('README.md', join(root, 'inner-link'))
  await symlink('../outside', join(root, 'outer-link'))
  await symlink('../outside/secret.txt', join(root, 'outer-file'))
  await symlink('.git', join(root, 'git-link'))
  await symlink('loop-b', join(root, 'loop-a'))
  await symlink('loop-a', join(root, 'loop-b'))
  execFileSync('/bin/sh', ['-c', 'mkfifo "$0"', join(root, 'pipe')])
})
afterAll(() => rm(top, { recursive: true }))

const run = (name: string, args: unknown, signal = new AbortController().signal) =>
  runTool({ name, arguments: typeof args === 'string' ? args : JSON.stringify(args) }, { root, signal })

describe('read_file', () => {
  test('answers with numbered lines', async () => {
    expect(await run('read_file', { path: 'README.md' })).toEqual({
      ok: true,
      content: 'README.md (lines 1-3 of 3)\n1\t# Title\n2\t\n3\tFirst words.',
    })
  })

  test('answers with the lines asked for, also where numbers come as text or null', async () => {
    const { content } = await run('read_file', { path: './src/a.ts', startLine: '2', endLine: null })
    expect(content).toBe('src/a.ts (lines 2-2 of 2)\n2\texport const b = 2')
  })

  test('gives long files in parts and says how to go on', async () => {
    const first = await run('read_file', { path: 'long.txt' })
    expect(first.content).toContain('long.txt (lines 1-2000 of 5000)')
    expect(first.content).toMatch(/\[cut here; go on with startLine 2001\]$/)
    const last = await run('read_file', { path: 'long.txt', startLine: 4999 })
    expect(last.content).toBe('long.txt (lines 4999-5000 of 5000)\n4999\tline 4999\n5000\tline 5000')
  })

  test('cuts a line that is too long to be read', async () => {
    const { content } = await run('read_file', { path: 'wide.txt' })
    expect(content.length).toBeLessThan(3000)
    expect(content).toContain('[line cut, 300000 characters]')
  })

  test.each([
    ['nothing.txt', /does not exist/],
    ['README.md/more', /does not exist/],
    ['src', /is a directory/],
    ['binary.bin', /binary file/],
    ['pipe', /no regular file/],
    ['loop-a', /link that leads back/],
    ['x'.repeat(5000), /too long/],
  ])('tells what is wrong with %s', async (path, reason) => {
    const result = await run('read_file', { path })
    expect(result.ok).toBe(false)
    expect(result.denied).toBeUndefined()
    expect(result.content).toMatch(reason)
  })

  test('reads an empty file, refuses lines that are not there', async () => {
    expect((await run('read_file', { path: 'empty.txt' })).content).toBe('empty.txt (empty)')
    expect((await run('read_file', { path: 'README.md', startLine: 9 })).content).toMatch(/only 3 lines/)
    expect((await run('read_file', { path: 'README.md', startLine: 3, endLine: 2 })).ok).toBe(false)
  })
})

describe('list_dir', () => {
  test('lists sorted, marks directories and links, hides git', async () => {
    const { content } = await run('list_dir', { path: '.' })
    expect(content.split('\n').slice(0, 4)).toEqual([
      '. (14 entries)',
      'README.md',
      'binary.bin',
      'empty.txt',
    ])
    expect(content).toContain('\nouter-link@')
    expect(content).toContain('\nsrc/')
    expect(content).not.toContain('.git\n')
  })

  test('tells a file from a directory', async () => {
    expect((await run('list_dir', { path: 'README.md' })).content).toMatch(/no directory/)
  })
})

describe('search_files', () => {
  test('finds lines by regular expression, sorted by file', async () => {
    expect((await run('search_files', { pattern: '(const|Title)' })).content.split('\n')).toEqual([
      'README.md:1: # Title',
      'src/a.ts:1: export const a = 1',
      'src/a.ts:2: export const b = 2',
      'src/deep/c.js:1: const c = 3 // TODO (later)',
      expect.stringMatching(/^\[4 matches in \d+ files\]$/),
    ])
  })

  test.each([
    ['*.ts', ['src/a.ts']],
    ['src/**', ['src/a.ts', 'src/deep/c.js']],
    ['**/*.{ts,js}', ['src/a.ts', 'src/deep/c.js']],
    ['src/*', ['src/a.ts']],
    ['[a-b].??', ['src/a.ts']],
    ['[!a].js', ['src/deep/c.js']],
    ['*.(ts)', []],
  ])('keeps to the glob %s', async (glob, files) => {
    const { content } = await run('search_files', { pattern: 'const', glob })
    const found = content.split('\n').slice(0, -1)
    expect([...new Set(found.map((line) => line.split(':')[0]))]).toEqual(files)
  })

  test('keeps to a directory or a file', async () => {
    const { content } = await run('search_files', { pattern: '.', path: 'src/deep' })
    expect(content).toContain('src/deep/c.js:1:')
    expect((await run('search_files', { pattern: 'First', path: 'README.md' })).content).toContain(
      'README.md:3:',
    )
  })

  test('does not follow links out, nor look into git', async () => {
    const { content } = await run('search_files', { pattern: `${SECRET}|token` })
    expect(content).toMatch(/^\[0 matches/)
  })

  test('takes no longer for a pattern or glob made to backtrack for ever', async () => {
    const started = performance.now()
    await run('search_files', { pattern: '(x+x+)+y', path: 'wide.txt' })
    await run('search_files', { pattern: 'x', glob: `${'*x'.repeat(100)}y` })
    expect(performance.now() - started).toBeLessThan(3000)
  })

  test.each(['(?=x)', '[', '(', 'x{99999}'])('tells why it cannot use %s', async (pattern) => {
    const result = await run('search_files', { pattern })
    expect(result.ok).toBe(false)
    expect(result.content).toMatch(/RE2/)
  })

  test('ends with the signal', async () => {
    const controller = new AbortController()
    const running = run('search_files', { pattern: 'x' }, controller.signal)
    controller.abort(new Error('stop'))
    await expect(running).rejects.toThrow('stop')
  })
})

describe('containment', () => {
  test.each([
    '..',
    '../outside/secret.txt',
    '../workspace-twin.txt',
    'src/../../outside/secret.txt',
    '/etc/passwd',
    'outer-link/secret.txt',
    'outer-link/nothing',
    'outer-file',
    '.git/config',
    '.GIT/config',
    'src/../.git/config',
    'git-link/config',
    '\0',
  ])('denies %j to every tool', async (path) => {
    for (const result of [
      await run('read_file', { path }),
      await run('list_dir', { path }),
      await run('search_files', { pattern: '.', path }),
    ]) {
      expect(result).toMatchObject({ ok: false, denied: true })
      expect(result.content).not.toContain(SECRET)
    }
  })

  test('takes absolute paths into the workspace', async () => {
    expect((await run('read_file', { path: join(root, 'README.md') })).ok).toBe(true)
  })

  test('follows links that stay inside', async () => {
    expect((await run('read_file', { path: 'inner-link' })).content).toContain('# Title')
  })

  test('holds for any path put together from its hard parts', async () => {
    const part = fc.constantFrom(
      '..',
      '.',
      '',
      'src',
      'deep',
      'outer-link',
      'outer-file',
      'git-link',
      '.git',
      'outside',
      'secret.txt',
      'config',
      'workspace',
      'README.md',
      'inner-link',
      'loop-a',
      '…',
      ' ',
    )
    const path = fc.tuple(fc.constantFrom('', '/', './', '../'), fc.array(part, { maxLength: 8 }))
    await fc.assert(
      fc.asyncProperty(path, fc.constantFrom('read_file', 'list_dir'), async ([start, parts], name) => {
        const { content } = await run(name, { path: start + parts.join('/') || '.' })
        expect(content).not.toContain(SECRET)
        expect(content).not.toContain('token@host')
        expect(content).not.toContain('workspace-twin.txt\n')
      }),
      { numRuns: 300 },
    )
  })
})

describe('a call as a model makes it', () => {
  test.each([
    ['{"path": "READ', /no valid JSON/],
    ['"abc"', /no JSON object/],
    ['[1]', /no JSON object/],
    ['null', /no JSON object/],
    ['{}', /path/],
    ['{"path": 3}', /path/],
    ['{"path": "README.md", "startLine": -1}', /startLine/],
  ])('with arguments %s is answered with the schema', async (args, reason) => {
    const result = await run('read_file', args)
    expect(result.ok).toBe(false)
    expect(result.content).toMatch(reason)
    expect(result.content).toContain('"required":["path"]')
  })

  test('without arguments lists the root', async () => {
    expect((await run('list_dir', '')).ok).toBe(true)
  })

  test('to a tool that does not exist, or was not offered, does not run', async () => {
    expect((await run('launch_rocket', {})).content).toMatch(/no tool "launch_rocket"; there are complete, /)
    const context = { root, signal: new AbortController().signal, allowed: ['complete'] }
    expect(await runTool({ name: 'list_dir', arguments: '{}' }, context)).toMatchObject({ denied: true })
  })

  test('comes back as text that can be stored', async () => {
    await writeFile(join(root, 'src', 'odd\ud800name'.toWellFormed()), `${'a'.repeat(9000)}\0`)
    const { content } = await run('search_files', { pattern: 'aaa', path: 'src' })
    expect(content).not.toContain('\0')
    expect(content.isWellFormed()).toBe(true)
    await rm(join(root, 'src', 'odd\ud800name'.toWellFormed()))
  })
})

test('specs come in the order asked for, and an unknown name is an error', () => {
  expect(toolSpecs(['complete', 'read_file', 'complete']).map(({ name }) => name)).toEqual([
    'complete',
    'read_file',
  ])
  expect(() => toolSpecs(['launch_rocket'])).toThrow('there is no tool launch_rocket')
})

test('complete checks that there is a content; what is in it is the session’s to judge', async () => {
  expect(await run('complete', { content: { a: 1 } })).toEqual({ ok: true, content: 'completed' })
  expect((await run('complete', {})).content).toMatch(/expected a field "content"/)
})
