import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type TestDatabase, testDatabase } from '@devflow/db/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type ApiProcess, startApi } from '../support/api-process.ts'
import { ownEnv } from '../support/own-env.ts'

const CLI = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url))
let database: TestDatabase
let api: ApiProcess
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'devflow-registry-'))
  database = await testDatabase()
  api = await startApi({ DATABASE_URL: database.url, TEMPORAL_ADDRESS: '127.0.0.1:1' })
})
afterAll(async () => {
  await api?.stop()
  await database?.close()
  await rm(folder, { recursive: true, force: true })
})

interface Ended {
  code: number
  out: string
  told: string
}

/** `devflow registry …`, to its end, in a pipe. */
function registry(args: readonly string[], input = ''): Promise<Ended> {
  const env = { ...ownEnv(), HOME: folder, DEVFLOW_URL: api.url }
  return new Promise((ended) => {
    const child = execFile(
      process.execPath,
      [CLI, 'registry', ...args],
      { env, cwd: folder },
      (error, out, told) =>
        ended({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, out, told }),
    )
    child.stdin?.end(input)
  })
}

const json = async (...args: string[]) => JSON.parse((await registry([...args, '--json'])).out)

const note = (id: string, title: string) => `kind: schema
id: ${id}
title: ${title}
meta: { team: web }
schema: { type: object, required: [text], properties: { text: { type: string } } }
`

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true })
    await writeFile(join(folder, name), text)
  }
}

test('entries of files are applied, once, shown as they were, told in the history and restored', async () => {
  await write({
    'notes/memo.yaml': note('cli:memo', 'A memo'),
    'notes/more/all.yaml': `${note('cli:note@1', 'A note')}---
kind: persona
id: devflow:cli/writer@1
model: { provider: scripted, name: writer, script: ./script.yaml }
`,
    'notes/more/script.yaml': 'turns: [{ reply: hi }]\n',
  })
  const applied = await registry(['apply', 'notes'])
  expect(applied).toMatchObject({ code: 0, told: '' })
  expect(applied.out).toBe(
    '+ cli:memo  schema\n+ cli:note@1  schema\n+ cli/writer@1  persona\nThe registry is at version 1.\n',
  )
  expect((await registry(['apply', 'notes'])).out).toBe(
    '3 entries are so already\nNothing to change: the registry is at version 1.\n',
  )
  await write({ 'notes/memo.yaml': note('cli:memo', 'Another memo') })
  expect((await registry(['apply', 'notes', '--delete', 'cli:note@1', '--dry-run'])).out).toBe(
    '~ cli:memo  schema\n- cli:note@1\n' +
      '2 entries are so already\nNothing was changed: this is what would be.\n',
  )
  expect(await json('apply', 'notes/memo.yaml', '--delete', 'cli:note@1')).toMatchObject({
    version: 2,
    applied: [
      { op: 'update', id: 'cli:memo' },
      { op: 'delete', id: 'cli:note@1' },
    ],
    unchanged: [],
  })

  const shown = await registry(['show', 'cli:memo'])
  expect(shown.out).toMatch(/^# made over HTTP, hash [0-9a-f]{64}\nkind: schema\nid: cli:memo\n/)
  expect(parse(shown.out)).toEqual(parse(note('cli:memo', 'Another memo')))
  expect((await registry(['apply', '-'], shown.out)).out).toContain('Nothing to change')
  expect((await json('show', 'cli/writer@1')).entry.model.script).toEqual({ turns: [{ reply: 'hi' }] })

  const history = await registry(['history'])
  expect(history.out.split('\n').slice(1, 3)).toEqual([
    expect.stringMatching(/^ +2 {2}\S+Z {2}owner {2}~ cli:memo, - cli:note@1$/),
    expect.stringMatching(/^ +1 {2}\S+Z {2}owner {2}\+ cli:memo, \+ cli:note@1, \+ cli\/writer@1$/),
  ])
  expect((await registry(['restore', '1'])).out).toBe(
    '~ cli:memo  schema\n+ cli:note@1  schema\nThe registry is at version 3, which is what version 1 was.\n',
  )
  expect((await json('show', 'cli:memo')).title).toBe('A memo')
  expect((await json('history', '--limit', '1')).items).toMatchObject([{ version: 3, restoredFrom: 1 }])
  const listed = (await registry(['list', '--namespace', 'cli', '--kind', 'schema', '--meta', 'team=web']))
    .out
  expect(listed.split('\n').slice(0, 3)).toEqual([
    expect.stringMatching(/^ID +KIND +TITLE +SOURCE$/),
    expect.stringMatching(/^cli:memo +schema +A memo +made over HTTP$/),
    expect.stringMatching(/^cli:note@1 +schema +A note +made over HTTP$/),
  ])
})

test('what is refused is told by file and line, with what to do', async () => {
  await write({
    'bad.yaml': `${note('cli:good', 'Good')}---\nkind: schema\nid: cli:bad\nschema: { type: objekt }\n`,
  })
  const refused = await registry(['apply', 'bad.yaml'])
  expect(refused).toMatchObject({ code: 2, out: '' })
  expect(refused.told).toContain('INVALID invalid_entry')
  expect(refused.told).toContain('bad.yaml:7 schema.type: must be one of')
  expect(refused.told).not.toContain('changes[')

  await registry(['apply', '-'], note('cli:fixed@1', 'One'))
  const fixed = await registry(['apply', '-'], note('cli:fixed@1', 'Two'))
  expect(fixed.code).toBe(1)
  expect(fixed.told).toContain('CONFLICT immutable_entry')
  expect(fixed.told).toContain('→ give what is new the next version')
  expect((await registry(['apply', '-', '--base', '0'], note('cli:late', 'Late'))).told).toContain(
    'stale_base',
  )
  expect((await registry(['show', 'cli:nothing'])).told).toContain('entry_not_found')
  expect(await registry(['apply'])).toMatchObject({ code: 2 })
  expect((await registry(['apply', 'nowhere.yaml'])).told).toContain('nowhere.yaml cannot be read')
  expect((await registry(['apply', '-'], 'just: text')).told).toContain('-:1 holds no entry')
  await write({
    'out/p.yaml': 'kind: persona\nid: cli:p@1\nmodel: { provider: scripted, name: x, script: ../bad.yaml }\n',
  })
  expect((await registry(['apply', 'out'])).told).toContain('p.yaml:1 names a script outside of the folder')
  const korean = await registry(['restore', '999', '--lang', 'ko'])
  expect(korean).toMatchObject({ code: 2 })
  expect(korean.told).toContain('→ 버전 목록을 보세요: devflow registry history')
})
