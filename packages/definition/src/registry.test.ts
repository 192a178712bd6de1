import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { compareVersions } from './entry-id.ts'
import { loadFolder } from './load-folder.ts'
import { readEntries } from './read-entries.ts'
import { createRegistry, Registry } from './registry.ts'

const schema = (id: string, title = id) => `kind: schema\nid: ${id}\ntitle: ${title}\nschema: {}\n---\n`
const registryOf = (...texts: string[]) =>
  new Registry(texts.map((text, index) => readEntries(text, `${index}.yaml`)))

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'entries-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return folder
}

describe('the registry', () => {
  it('finds an entry by id, with or without the default namespace', () => {
    const registry = registryOf(schema('a/b@1') + schema('shop:a/b@7'))
    expect(registry.get('a/b@1')?.id).toBe('a/b@1')
    expect(registry.get('devflow:a/b@1')?.id).toBe('a/b@1')
    expect(registry.get('shop:a/b')?.id).toBe('shop:a/b@7')
    expect(registry.get('a/b@2')).toBeUndefined()
    expect(registry.get('b@1')).toBeUndefined()
  })

  it('takes the highest version where none is named, counting as people do', () => {
    const registry = registryOf(schema('a@9') + schema('a@10') + schema('a@2') + schema('a'))
    expect(registry.get('a')?.id).toBe('a@10')
    expect(registry.list().map(({ id }) => id)).toEqual(['a', 'a@2', 'a@9', 'a@10'])
    expect(['1.10', '1.9', '1+ff', '1', '2.0-rc1'].sort(compareVersions)).toEqual([
      '1',
      '1+ff',
      '1.9',
      '1.10',
      '2.0-rc1',
    ])
  })

  it('lists by kind and namespace', () => {
    const registry = registryOf(schema('b@1') + schema('shop:a@1'))
    expect(registry.list({ namespace: 'shop' }).map(({ id }) => id)).toEqual(['shop:a@1'])
    expect(registry.list({ namespace: 'devflow', kind: 'schema' }).map(({ id }) => id)).toEqual(['b@1'])
    expect(registry.list({ kind: 'template' })).toEqual([])
  })

  it('registers changed content under the same version beside what was known', () => {
    const before = registryOf(schema('a@1', 'old')).get('a@1')
    const known = new Map([['a@1', before?.hash ?? '']])
    expect(new Registry([readEntries(schema('a@1', 'old'), 'f')], known).get('a@1')?.id).toBe('a@1')
    const changed = new Registry([readEntries(schema('a@1', 'new'), 'f')], known).get('a@1')
    expect(changed?.id).toMatch(/^a@1\+[0-9a-f]{8}$/)
    expect(changed?.id).toBe(`a@1+${changed?.hash.slice(0, 8)}`)
    expect(changed?.entry.id).toBe(changed?.id)
  })

  it('keeps a version of an earlier folder and prefers the changed one where no version is named', () => {
    const registry = registryOf(schema('a@1', 'catalog'), schema('a@1', 'mine'))
    expect(registry.get('a@1')?.entry.title).toBe('catalog')
    expect(registry.get('a')?.entry.title).toBe('mine')
    expect(registry.errors).toEqual([])
  })

  it('refuses one id twice in a folder unless both are the same', () => {
    expect(registryOf(schema('a@1') + schema('a@1')).errors).toEqual([])
    expect(registryOf(schema('a@1', 'x') + schema('devflow:a@1', 'y')).errors).toEqual([
      { path: 'id', message: expect.stringContaining('a@1 stands twice') },
    ])
  })
})

describe('loading a folder', () => {
  it('reads YAML and JSON in all folders below, and nothing hidden', async () => {
    const folder = await folderWith({
      'a.yaml': schema('a@1'),
      'sub/b.yml': schema('b@1'),
      'sub/c.json': '{"kind":"schema","id":"c@1","schema":{}}',
      '.git/d.yaml': schema('d@1'),
      'e.md': 'kind: x',
    })
    const { entries, errors } = await loadFolder(folder)
    expect(errors).toEqual([])
    expect(entries.map(({ entry }) => entry.id)).toEqual(['a@1', 'b@1', 'c@1'])
  })

  it('goes on behind a file that is wrong and says which one it is', async () => {
    const folder = await folderWith({
      'a.yaml': 'kind: [',
      'b.yaml': schema('b@1'),
      'c.yaml': 'kind: schema\nid: c@1',
    })
    const { entries, errors } = await loadFolder(folder)
    expect(entries.map(({ entry }) => entry.id)).toEqual(['b@1'])
    expect(errors.map(({ path }) => path)).toEqual([expect.stringMatching(/a\.yaml:1:\d+$/), 'schema'])
    expect(errors[1]?.message).toContain(`${join(folder, 'c.yaml')}:1:1`)
  })

  it('puts a script that is a path into its persona', async () => {
    const persona = (script: string) =>
      `kind: persona\nid: p@1\nmodel: { provider: scripted, name: s, script: ${script} }\n`
    const folder = await folderWith({
      'p.yaml': persona('scripts/s.yaml'),
      'scripts/s.yaml': 'turns: [{ reply: hi }]\n',
    })
    const { entries, errors } = await loadFolder(folder)
    expect(errors).toEqual([])
    expect(entries.map(({ entry }) => entry)).toEqual([
      expect.objectContaining({ model: expect.objectContaining({ script: { turns: [{ reply: 'hi' }] } }) }),
    ])
    const outside = await folderWith({ 'p.yaml': persona('../x.yaml') })
    expect((await loadFolder(outside)).errors).toEqual([
      { path: 'model.script', message: expect.stringContaining('outside') },
    ])
  })

  it('says what is wrong with a script, beside its persona or in it', async () => {
    const persona = (id: string, script: string) =>
      `kind: persona\nid: ${id}\nmodel: { provider: scripted, name: s${script} }\n`
    const folder = await folderWith({
      'a.yaml': persona('a@1', ', script: { turns: [{ replie: hi }] }'),
      'b.yaml': persona('b@1', ', script: scripts/s.yaml'),
      'c.yaml': persona('c@1', ''),
      'scripts/s.yaml': 'turnz: []\n',
    })
    expect((await loadFolder(folder)).errors).toEqual([
      { path: 'model.script.turns[0].replie', message: expect.stringContaining('a.yaml:1') },
      { path: 'model.script.turnz', message: expect.stringContaining('b.yaml:1') },
      { path: 'model.script', message: expect.stringContaining('b.yaml:1') },
      { path: 'model.script', message: expect.stringContaining('c.yaml:1') },
    ])
  })

  it('says that a folder is not there', async () => {
    expect((await loadFolder('/nowhere/at/all')).errors).toEqual([
      { path: '/nowhere/at/all', message: 'cannot be read: ENOENT' },
    ])
  })

  it('puts further folders behind the built-in catalog', async () => {
    const folder = await folderWith({ 'a.yaml': schema('mine:a@1') })
    const registry = await createRegistry({ folders: [folder] })
    expect(registry.errors).toEqual([])
    expect(registry.get('mine:a@1')?.source).toBe(join(folder, 'a.yaml'))
    expect(registry.get('dev/spec@1')).toBeDefined()
  })
})
