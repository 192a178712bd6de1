import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lockRegistry } from '@devflow/db'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type TestApi, testApi } from '../test-api.fixture.ts'

interface Answer {
  status: number
  body: {
    id: string
    version: number
    code: string
    definitionHash: string
    nextCursor: string
    applied: unknown[]
    items: Record<string, string>[]
  }
}
type Call = (path: string, json?: unknown) => Promise<Answer>

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
let api: TestApi
let other: Call
const children: ChildProcess[] = []
beforeAll(async () => {
  api = await testApi({}, afterAll)
  other = await processOn(api.databaseUrl)
})
afterAll(async () => {
  await Promise.all(children.map(async (child) => child.kill('SIGKILL') && (await once(child, 'exit'))))
})

/** An API process of its own on a database, with what folders of entries it is started with. */
async function processOn(databaseUrl: string, entries = ''): Promise<Call> {
  const env = {
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    DATABASE_URL: databaseUrl,
    DEVFLOW_ENTRIES: entries,
    DEVFLOW_PORT: '0',
    DEVFLOW_LOG_LEVEL: 'error',
  }
  const child = fork(main, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...env, TEMPORAL_ADDRESS: '127.0.0.1:1' },
  })
  children.push(child)
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return async (path, json) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: json === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json' },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    })
    return { status: response.status, body: (await response.json()) as Answer['body'] }
  }
}

const here: Call = (path, json) => api.call(path, { json })
const change = (call: Call, changes: unknown[], more: object = {}) =>
  call('/v1/registry/changes', { changes, ...more })
const versionNow = async (call: Call = here) => (await call('/v1/registry/entries?limit=1')).body.version
const template = (id: string, title: string) => ({
  kind: 'template',
  id,
  title,
  phases: [{ id: 'pause', wait: { signal: 'go' } }],
})
const create = (entry: object) => [{ op: 'create', entry }]
const update = (entry: object) => [{ op: 'update', entry }]

async function folderWith(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'devflow-registry-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'entries.yaml'), text)
  return folder
}

describe('versions', () => {
  test('say who changed what when, newest first', async () => {
    await change(here, create(template('hist:first', 'First')))
    const first = await versionNow()
    await change(here, [...create(template('hist:a', 'One')), ...create(template('hist:b@1', 'B'))])
    await change(here, [...update(template('hist:a', 'Two')), { op: 'delete', entry: { id: 'hist:b@1' } }])
    const { status, body } = await here('/v1/registry/versions?limit=2')
    expect(status).toBe(200)
    expect(body.items).toMatchObject([
      {
        version: first + 2,
        actor: 'owner',
        changes: [
          { op: 'update', id: 'hist:a', kind: 'template' },
          { op: 'delete', id: 'hist:b@1', kind: 'template' },
        ],
      },
      {
        version: first + 1,
        actor: 'owner',
        changes: [
          { op: 'create', id: 'hist:a' },
          { op: 'create', id: 'hist:b@1' },
        ],
      },
    ])
    const older = await here(`/v1/registry/versions?limit=1&cursor=${body.nextCursor}`)
    expect(older.body.items).toMatchObject([{ version: first, changes: [{ id: 'hist:first' }] }])
  })

  test('are never changed nor deleted', async () => {
    for (const table of ['registry_versions', 'registry_changes', 'registry_pins']) {
      for (const wrong of [
        `update devflow.${table} set tenant = 'x'`,
        `delete from devflow.${table}`,
        `truncate devflow.${table}`,
      ]) {
        await expect(api.deps.pool.query(wrong)).rejects.toThrow(/immutable/)
      }
    }
  })
})

describe('restoring', () => {
  test('makes a new version that is what the old one was, and leaves runs alone', async () => {
    await change(here, [
      ...create(template('back:kept', 'Kept')),
      ...create(template('back:changed', 'Old')),
      ...create(template('back:gone@1', 'Gone')),
    ])
    const then = await versionNow()
    const run = await api.submit({ template: 'back:gone@1' })
    await change(here, [
      ...update(template('back:changed', 'New')),
      { op: 'delete', entry: { id: 'back:gone@1' } },
      ...create(template('back:later', 'Later')),
    ])
    const restored = await here(`/v1/registry/versions/${then}/restore`, {})
    expect(restored).toMatchObject({
      status: 200,
      body: {
        version: then + 2,
        applied: expect.arrayContaining([
          expect.objectContaining({ op: 'update', id: 'back:changed' }),
          expect.objectContaining({ op: 'create', id: 'back:gone@1' }),
          expect.objectContaining({ op: 'delete', id: 'back:later' }),
        ]),
      },
    })
    expect(restored.body.applied).toHaveLength(3)
    const listed = await here('/v1/registry/entries?namespace=back')
    expect(listed.body.items.map(({ id, title }) => [id, title])).toEqual([
      ['back:changed', 'Old'],
      ['back:gone@1', 'Gone'],
      ['back:kept', 'Kept'],
    ])
    expect((await here('/v1/registry/versions?limit=1')).body.items).toMatchObject([
      { version: then + 2, restoredFrom: then },
    ])
    expect(await here(`/v1/runs/${run.id}`)).toMatchObject({
      body: { status: 'queued', template: 'back:gone@1' },
    })
  })

  test('is refused for versions that never were, and for a base that is stale', async () => {
    const now = await versionNow()
    for (const version of [String(now + 1), '-1', '1.5', 'x', '99999999999999999999']) {
      expect(await here(`/v1/registry/versions/${version}/restore`, {})).toMatchObject({
        status: 404,
        body: { code: 'version_not_found' },
      })
    }
    expect(await here(`/v1/registry/versions/${now}/restore`, { baseVersion: now - 1 })).toMatchObject({
      status: 409,
      body: { code: 'stale_base' },
    })
    expect(await here('/v1/registry/versions')).toMatchObject({
      body: { items: expect.arrayContaining([expect.objectContaining({ version: now })]) },
    })
    expect(await versionNow()).toBe(now)
  })

  test('takes everything back that was made over HTTP, and happens once for a key', async () => {
    await change(here, create(template('zero:a', 'A')))
    const headers = { 'idempotency-key': 'restore-0' }
    const restore = () => api.call('/v1/registry/versions/0/restore', { method: 'POST', headers })
    const first = await restore()
    expect(first).toMatchObject({ status: 200 })
    expect(
      (await here('/v1/registry/entries?limit=200')).body.items.filter(({ source }) => source === 'registry'),
    ).toEqual([])
    expect((await restore()).body).toEqual(first.body)
    expect(await versionNow()).toBe(first.body.version)
  })
})

describe('several processes', () => {
  test('a submission after a change uses it, whichever process takes it', async () => {
    await change(here, create(template('seen:t', 'Title 0')))
    for (let n = 1; n <= 10; n++) {
      const [changer, submitter] = n % 2 === 0 ? [here, other] : [other, here]
      const changed = await change(changer, update({ ...template('seen:t', `Title ${n}`), output: { n } }))
      expect(changed.status).toBe(200)
      const run = await submitter('/v1/runs', { template: 'seen:t' })
      expect(run.status).toBe(201)
      const { rows } = await api.deps.pool.query('select body from devflow.definitions where hash = $1', [
        run.body.definitionHash,
      ])
      expect(rows[0].body).toMatchObject({ title: `Title ${n}`, output: { n } })
    }
  })

  test('of changes made for the same version one is taken', async () => {
    const base = await versionNow()
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        change(n % 2 === 0 ? here : other, create(template(`race:${n}`, 'T')), { baseVersion: base }),
      ),
    )
    const taken = answers.filter(({ status }) => status === 200)
    expect(taken.map(({ body }) => body.version)).toEqual([base + 1])
    for (const { status, body } of answers.filter((answer) => !taken.includes(answer))) {
      expect([status, body.code]).toEqual([409, 'stale_base'])
    }
    expect((await here('/v1/registry/entries?namespace=race')).body.items).toHaveLength(1)
    expect(await versionNow(other)).toBe(base + 1)
  })

  test('changes made for no version come one after another, and none is lost', async () => {
    const base = await versionNow()
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        change(n % 2 === 0 ? here : other, create(template(`queue:${n}`, 'T'))),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(200))
    expect(answers.map(({ body }) => body.version).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 30 }, (_, n) => base + 1 + n),
    )
    expect((await other('/v1/registry/entries?namespace=queue')).body.items).toHaveLength(30)
  })

  test('changes that wait for each other leave connections to everybody else', async () => {
    const client = new pg.Client({ connectionString: api.databaseUrl })
    await client.connect()
    onTestFinished(() => client.end())
    await client.query('begin')
    await lockRegistry(client, 'default')
    const waiting = Array.from({ length: 40 }, (_, n) => change(here, create(template(`wait:${n}`, 'T'))))
    const waiters =
      "select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())"
    await expect.poll(async () => (await client.query(waiters)).rows[0].n).toBeGreaterThan(0)
    const reads = await Promise.all(Array.from({ length: 10 }, () => here('/v1/runs?limit=1')))
    expect(reads.map(({ status }) => status)).toEqual(Array(10).fill(200))
    await client.query('rollback')
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(40).fill(200))
  })

  test('of several contents for one name@version the first counts', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        change(n % 2 === 0 ? here : other, create(template('first:t@1', `T${n}`))),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    for (const { status, body } of answers.filter(({ status }) => status !== 200)) {
      expect([status, body.code]).toEqual([409, 'immutable_entry'])
    }
  })
})

describe('folders', () => {
  const entry = (title: string) =>
    `kind: template\nid: fold:t@1\ntitle: ${title}\nphases: [{ id: p, wait: { signal: go } }]\n`

  test('a file that changed under its version is a copy beside it from the next start on', async () => {
    const before = await processOn(api.databaseUrl, await folderWith(entry('One')))
    const first = await before('/v1/runs', { template: 'fold:t@1' })
    expect(first).toMatchObject({ status: 201, body: { template: 'fold:t@1' } })
    const after = await processOn(api.databaseUrl, await folderWith(entry('Two')))
    const { body } = await after('/v1/registry/entries?namespace=fold')
    expect(body.items).toEqual([
      expect.objectContaining({
        id: expect.stringMatching(/^fold:t@1\+[0-9a-f]{8}$/),
        title: 'Two',
        source: 'folder',
      }),
    ])
    expect(await after('/v1/runs', { template: 'fold:t@1' })).toMatchObject({
      status: 201,
      body: { template: body.items[0]?.id },
    })
    expect(await after(`/v1/runs/${first.body.id}`)).toMatchObject({
      body: { template: 'fold:t@1', definitionHash: first.body.definitionHash },
    })
    // A process without that folder knows the version too: nobody else can take it.
    expect(await change(here, create(template('fold:t@1', 'Three')))).toMatchObject({
      status: 409,
      body: { code: 'immutable_entry' },
    })
  })

  test('a template in a folder keeps what it needs from being deleted', async () => {
    await change(here, create({ kind: 'schema', id: 'need:note', schema: { type: 'object' } }))
    const text = `kind: template
id: need:t@1
roles: { writer: { persona: offline-spec-writer@1 } }
artifacts: { note: { schema: "need:note" } }
phases: [{ id: write, agent: { role: writer, prompt: Write., produces: note } }]
`
    const user = await processOn(api.databaseUrl, await folderWith(text))
    expect(await change(user, [{ op: 'delete', entry: { id: 'need:note' } }])).toMatchObject({
      status: 400,
      body: { code: 'breaks_template', errors: [{ path: 'entries[need:t@1].artifacts.note.schema' }] },
    })
    const before = await versionNow()
    expect(await user(`/v1/registry/versions/0/restore`, {})).toMatchObject({
      status: 400,
      body: { code: 'breaks_template' },
    })
    expect(await versionNow()).toBe(before)
  })

  test('an entry made over HTTP counts where a folder brings one of its name later', async () => {
    await change(here, create(template('over:t', 'Made over HTTP')))
    const late = await processOn(
      api.databaseUrl,
      await folderWith(entry('In a folder').replace('fold:t@1', 'over:t')),
    )
    expect((await late('/v1/registry/entries?namespace=over')).body.items).toMatchObject([
      { id: 'over:t', title: 'Made over HTTP', readOnly: false },
    ])
    expect(await change(late, [{ op: 'delete', entry: { id: 'over:t' } }])).toMatchObject({ status: 200 })
    expect((await late('/v1/registry/entries?namespace=over')).body.items).toMatchObject([
      { id: 'over:t', title: 'In a folder', readOnly: true },
    ])
  })
})

test('a template of a folder that could not be run is told, with what is wrong where', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'devflow-broken-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const phase = '{ id: work, agent: { role: nobody, prompt: Work. } }'
  await writeFile(join(folder, 'broken.yaml'), `kind: template\nid: acme:broken@1\nphases:\n  - ${phase}\n`)
  const { logged, deps } = await testApi({ DEVFLOW_ENTRIES: folder })
  const told: string[] = []
  await deps.registry.tellFaults((text) => told.push(text))
  const [path, words] = [join(folder, 'broken.yaml'), 'acme:broken@1 cannot be run: phases[0].agent.role']
  expect(told).toEqual([expect.stringContaining(words)])
  expect(told[0]).toContain(path)
  expect(logged.map((line) => JSON.parse(line))).toMatchObject([
    { path, msg: expect.stringContaining(words) },
  ])
})
