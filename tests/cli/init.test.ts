import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { catalogFolder, compile, loadFolder, Registry } from '@devflow/definition'
import { expect, test } from 'vitest'
import { runCommand } from '../support/command-line.ts'
import { runInShell } from '../support/shell-line.ts'
import { blocksOf, init, newFolder } from './starter.ts'

const FILES = ['README.md', 'note.yaml', 'release-note.yaml', 'writer.yaml']

/** What is in a folder, by name. */
async function contentOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort()
  const texts = names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)
  return Object.fromEntries(await Promise.all(texts))
}

/** What the compiler makes of what lies in a folder: nobody has a key. */
async function compiled(folder: string, namespace: string) {
  const registry = new Registry([await loadFolder(catalogFolder), await loadFolder(folder)])
  expect(registry.errors).toEqual([])
  const ids = registry.list({ namespace }).map(({ id }) => id)
  expect(ids).toEqual(['note@1', 'release-note@1', 'writer@1'].map((name) => `${namespace}:${name}`))
  const hasKey = (provider: string) => provider === 'openrouter'
  return (withKey: boolean) =>
    compile(registry, { template: `${namespace}:release-note`, hasKey: withKey ? hasKey : () => false })
}

test.each([
  ['my', 'en'],
  ['acme-2', 'ko'],
  ['7', 'en'],
])('what is written compiles, with the model that it names too: %s in %s', async (namespace, language) => {
  const cwd = await newFolder()
  const { code } = await init(cwd, '--namespace', namespace, '--lang', language)
  expect(code).toBe(0)
  const folder = join(cwd, 'entries')
  expect(Object.values(await contentOf(folder)).join('')).not.toMatch(namespace === 'my' ? /acme/ : /\bmy:/)
  const offline = (await compiled(folder, namespace))(false)
  expect(offline.definition.phases.map(({ id }) => id)).toEqual(['write', 'read'])
  expect(offline.bindings).toEqual({ writer: `${namespace}:writer@1` })

  const file = join(folder, 'writer.yaml')
  const text = await readFile(file, 'utf8')
  const real = text
    .replace(/^ {2}(provider|name): .*\n/gm, '')
    .replace(/^ {2}# (provider|name): /gm, '  $1: ')
  expect(real).toMatch(/^ {2}provider: openrouter\n {2}name: \S+\n/m)
  await writeFile(file, real)
  const withModel = await compiled(folder, namespace)
  expect(withModel(true).definition.phases).toHaveLength(2)
  expect(() => withModel(false)).toThrow(/OPENROUTER_API_KEY/)
})

test('it says what was written and what to type next, where it was told to write', async () => {
  const cwd = await newFolder()
  const { code, stdout } = await init(cwd, "our entries'", '--namespace', 'acme')
  expect([code, await readdir(join(cwd, "our entries'"))]).toEqual([0, FILES])
  expect(stdout).toMatch(/^Written to our entries':\n {2}README\.md {10}what the files are/)
  const [, start = ''] = /^ {2}start {3}devflow (.*)$/m.exec(stdout) ?? []
  expect(start).toBe(`up --entries 'our entries'"'"`)
  expect(stdout).toContain('  run it  devflow run acme:release-note --input version=v1.2\n')
  const readme = await readFile(join(cwd, "our entries'", 'README.md'), 'utf8')
  expect(blocksOf(readme)[0]).toBe(`devflow ${start}`)
  const npx = await runCommand(['init', 'two'], { cwd, env: { npm_command: 'exec' } })
  expect(npx.stdout).toContain('  start   npx devflow up --entries two\n')
  expect(await readFile(join(cwd, 'two', 'README.md'), 'utf8')).toContain('\nnpx devflow approve last\n')
})

test('with --json it is one object', async () => {
  const cwd = await newFolder()
  const { code, json, stderr } = await init(cwd, 'a/b', '--json')
  expect([code, stderr]).toEqual([0, ''])
  expect(json()).toEqual([
    { folder: join(cwd, 'a', 'b'), namespace: 'my', template: 'my:release-note', files: FILES },
  ])
})

test('nothing that is there is overwritten, and then nothing is written: 1', async () => {
  const cwd = await newFolder()
  await writeFile(join(cwd, 'note.yaml'), 'mine')
  await symlink('nowhere', join(cwd, 'writer.yaml'))
  const { code, stdout, stderr } = await init(cwd, '.')
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(
    /ALREADY_EXISTS files_exist\n {2}in \. there is already: note\.yaml, writer\.yaml; .*\n→ .*: devflow init <folder>\n$/,
  )
  const json = await init(cwd, '.', '--json')
  expect([json.code, JSON.parse(json.stderr)]).toMatchObject([
    1,
    { error: { kind: 'ALREADY_EXISTS', code: 'files_exist' } },
  ])
  await rm(join(cwd, 'writer.yaml'))
  expect(await contentOf(cwd)).toEqual({ 'note.yaml': 'mine' })
})

test('beside other files it writes its own', async () => {
  const cwd = await newFolder()
  await mkdir(join(cwd, 'entries'))
  await writeFile(join(cwd, 'entries', 'other.yaml'), 'mine')
  expect((await init(cwd)).code).toBe(0)
  const content = await contentOf(join(cwd, 'entries'))
  expect(Object.keys(content)).toEqual([
    'README.md',
    'note.yaml',
    'other.yaml',
    'release-note.yaml',
    'writer.yaml',
  ])
  expect(content['other.yaml']).toBe('mine')
})

test('where something cannot be written nothing is left of it: 1', async () => {
  const cwd = await newFolder()
  // No file may be longer than a kilobyte: the README is, so it breaks off in the middle.
  const tooLong = await runInShell(`cd '${cwd}'; ulimit -f 1; devflow init a/b`)
  expect([tooLong.code, tooLong.stdout]).toEqual([1, ''])
  expect(tooLong.stderr).toMatch(/UNAVAILABLE files_not_written\n {2}a\/b cannot be written.*EFBIG.*\n→ /)
  const noName = await init(cwd, 'x'.repeat(300))
  expect([noName.code, noName.stderr]).toEqual([
    1,
    expect.stringMatching(/files_not_written[\s\S]*ENAMETOOLONG/),
  ])
  expect(await readdir(cwd)).toEqual([])
})

test('a folder that cannot be one, and a namespace that is none, are bad usage: 2', async () => {
  const cwd = await newFolder()
  await writeFile(join(cwd, 'file'), '')
  for (const [args, words] of [
    [['file'], `folder: ${join(cwd, 'file')} is no folder`],
    [['file/entries'], `folder: ${join(cwd, 'file')} is no folder`],
    [['--namespace', 'Mine'], "'Mine' is invalid. expected small letters, digits and -"],
    [['--namespace', ''], 'expected small letters, digits and -'],
    [['--namespace', 'my:own'], 'expected small letters, digits and -'],
    [['--namespace', '-x'], 'expected small letters, digits and -'],
    [['--namespace', 'devflow'], 'that is the namespace of what is built in'],
    [['one', 'two'], 'too many arguments'],
  ] as const) {
    const { code, stdout, stderr } = await init(cwd, ...args)
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining(words)])
  }
  expect(await readdir(cwd)).toEqual(['file'])
})

test('all of it is in Korean where that is asked for, with the same fields', async () => {
  const cwd = await newFolder()
  const { stdout } = await init(cwd, '--lang', 'ko')
  expect(stdout).toMatch(/^entries 폴더에 썼습니다:\n {2}README\.md {10}파일 설명/)
  expect(stdout).toContain('  시작  devflow up --entries entries\n')
  expect((await init(cwd, '--lang', 'ko')).stderr).toMatch(
    /entries에 이미 있습니다: README\.md, .*\n→ 다른 폴더/,
  )
  expect((await init(cwd, 'x', '--namespace', 'devflow', '--lang', 'ko')).stderr).toContain(
    '기본 제공 항목의 네임스페이스입니다',
  )
  await init(cwd, 'english')
  const [korean, english] = await Promise.all(
    ['entries', 'english'].map(async (name) => {
      const { entries } = await loadFolder(join(cwd, name))
      return entries.map(({ entry }) => namesIn(entry))
    }),
  )
  expect(korean).toEqual(english)
  expect(blocksOf(await readFile(join(cwd, 'entries', 'README.md'), 'utf8'))).toEqual(
    blocksOf(await readFile(join(cwd, 'english', 'README.md'), 'utf8')).map((block) =>
      block.replace('english', 'entries'),
    ),
  )
})

/** A value without its texts for people. */
function namesIn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(namesIn)
  if (typeof value === 'string') return /[가-힣 ]/.test(value) ? 'text' : value
  if (typeof value !== 'object' || value === null) return value
  const forPeople = ['title', 'description', 'examples', 'instructions', 'prompt']
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, forPeople.includes(name) ? 'text' : namesIn(inner)]),
  )
}
