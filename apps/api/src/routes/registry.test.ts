import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi
beforeAll(async () => {
  api = await testApi({}, afterAll)
})

const change = (changes: unknown[], more: object = {}, headers: Record<string, string> = {}) =>
  api.call('/v1/registry/changes', { json: { changes, ...more }, headers })
const create = async (...entries: object[]) => {
  const made = await change(entries.map((entry) => ({ op: 'create', entry })))
  expect(made).toMatchObject({ status: 200 })
  return made.body.version as number
}
const read = (id: string) => api.call(`/v1/registry/entries/${id}`)
const $ = (expression: string) => `\${{ ${expression} }}`
const schema = (id: string, more: object = {}) => ({
  kind: 'schema',
  id,
  schema: { type: 'object' },
  ...more,
})
const template = (id: string, more: object = {}) => ({
  kind: 'template',
  id,
  phases: [{ id: 'pause', wait: { signal: 'go' } }],
  ...more,
})
const agent = (id: string, schemaId: string, persona = 'offline-spec-writer@1') =>
  template(id, {
    roles: { writer: { persona } },
    artifacts: { note: { schema: schemaId } },
    phases: [{ id: 'write', agent: { role: 'writer', prompt: 'Write.', produces: 'note' } }],
  })

test('what is built in and what folders hold is listed, by kind, namespace and metadata', async () => {
  const all = await api.call('/v1/registry/entries?limit=200')
  expect(all.status).toBe(200)
  expect(all.body.items).toContainEqual(
    expect.objectContaining({
      id: 'spec-and-review@1',
      kind: 'template',
      namespace: 'devflow',
      name: 'spec-and-review',
      version: '1',
      source: 'catalog',
      immutable: true,
      readOnly: true,
    }),
  )
  expect(all.body.items).toContainEqual(expect.objectContaining({ id: 'test/echo@1', source: 'folder' }))
  await create(
    schema('listed:a@1', { meta: { team: 'web', tier: '1' } }),
    schema('listed:b@1', { meta: { team: 'web' } }),
    template('listed:c@1', { meta: { team: 'ops' } }),
  )
  const ids = async (query: string) =>
    (await api.call(`/v1/registry/entries?namespace=listed&${query}`)).body.items.map(
      ({ id }: { id: string }) => id,
    )
  expect(await ids('')).toEqual(['listed:a@1', 'listed:b@1', 'listed:c@1'])
  expect(await ids('kind=schema')).toEqual(['listed:a@1', 'listed:b@1'])
  expect(await ids('meta.team=web')).toEqual(['listed:a@1', 'listed:b@1'])
  expect(await ids('meta.team=web&meta.tier=1')).toEqual(['listed:a@1'])
  expect(await ids('meta.constructor=x')).toEqual([])
  expect(await ids('kind=function')).toEqual([])
  expect(await api.call('/v1/registry/entries?kind=colour')).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'kind' }] },
  })
})

test('a list is read in pages', async () => {
  await create(...['a', 'b', 'c'].map((name) => schema(`paged:${name}@10`)), schema('paged:a@9'))
  const first = await api.call('/v1/registry/entries?namespace=paged&limit=3')
  expect(first.body.items.map(({ id }: { id: string }) => id)).toEqual([
    'paged:a@9',
    'paged:a@10',
    'paged:b@10',
  ])
  const next = await api.call(
    `/v1/registry/entries?namespace=paged&limit=3&cursor=${encodeURIComponent(first.body.nextCursor)}`,
  )
  expect(next.body.items.map(({ id }: { id: string }) => id)).toEqual(['paged:c@10'])
  expect(next.body).not.toHaveProperty('nextCursor')
  expect(await api.call('/v1/registry/entries?cursor=x')).toMatchObject({
    status: 400,
    body: { code: 'bad_cursor' },
  })
})

test('an entry is read by its id, slashes escaped or not, and without a version as the newest', async () => {
  for (const id of ['dev/spec@1', 'dev%2Fspec%401', 'devflow:dev/spec@1', 'dev/spec']) {
    expect(await read(id)).toMatchObject({
      status: 200,
      body: { id: 'dev/spec@1', kind: 'schema', entry: { kind: 'schema', id: 'dev/spec@1', schema: {} } },
    })
  }
  expect(await read('dev/nothing@1')).toMatchObject({ status: 404, body: { code: 'entry_not_found' } })
  expect(await api.call('/v1/registry/entries/dev/spec@1', { method: 'DELETE' })).toMatchObject({
    status: 405,
  })
})

test('no answer says where a file lies on the server, nor reads one that an entry names', async () => {
  const { body } = await read('test/echo@1')
  expect(JSON.stringify(body)).not.toContain(api.folder)
  const persona = {
    kind: 'persona',
    id: 'p:file@1',
    model: { provider: 'scripted', name: 's', script: 'entries.yaml' },
  }
  expect(await change([{ op: 'create', entry: persona }])).toMatchObject({
    status: 400,
    body: { code: 'invalid_entry', errors: [{ path: 'changes[0].entry.model.script' }] },
  })
  for (const source of ['/etc/passwd', './charge.ts', 'file:///etc/passwd']) {
    const code = { kind: 'function', id: 'p:code@1', source }
    expect(await change([{ op: 'create', entry: code }])).toMatchObject({
      status: 400,
      body: {
        errors: [{ path: 'changes[0].entry.source', message: expect.stringContaining('the source itself') }],
      },
    })
  }
})

test('a change counts for the next submission, and a run keeps what it was submitted with', async () => {
  const version = await create(template('live:t', { title: 'First' }))
  const before = await api.submit({ template: 'live:t' })
  const wider = template('live:t', {
    title: 'Second',
    phases: [{ id: 'ask', gate: { title: 'Good?' } }],
  })
  expect(await change([{ op: 'update', entry: wider }], { baseVersion: version })).toMatchObject({
    status: 200,
    body: { version: version + 1, applied: [{ op: 'update', id: 'live:t', kind: 'template' }] },
  })
  const after = await api.submit({ template: 'live:t' })
  const phases = async (id: string) =>
    (await api.call(`/v1/runs/${id}`)).body.phases.map((phase: { id: string }) => phase.id)
  expect(await phases(after.id)).toEqual(['ask'])
  expect(await phases(before.id)).toEqual(['pause'])
  expect(await change([{ op: 'delete', entry: { id: 'live:t' } }])).toMatchObject({ status: 200 })
  expect(await read('live:t')).toMatchObject({ status: 404 })
  expect(await api.call('/v1/runs', { json: { template: 'live:t' } })).toMatchObject({
    status: 404,
    body: { code: 'template_not_found' },
  })
  expect(await phases(before.id)).toEqual(['pause'])
})

test('a submission that is repeated gets its first answer, also when its template is gone', async () => {
  await create(template('gone:t'))
  const submit = () =>
    api.call('/v1/runs', { json: { template: 'gone:t' }, headers: { 'idempotency-key': 'gone-1' } })
  const first = await submit()
  expect(first.status).toBe(201)
  await change([{ op: 'delete', entry: { id: 'gone:t' } }])
  const again = await submit()
  expect(again).toMatchObject({ status: 200, body: { id: first.body.id } })
  expect(again.headers.get('idempotency-replayed')).toBe('true')
})

test('changes are all made or none', async () => {
  const { body } = await api.call('/v1/registry/entries')
  const refused = await change([
    { op: 'create', entry: schema('all:one@1') },
    { op: 'update', entry: schema('all:missing') },
  ])
  expect(refused).toMatchObject({
    status: 404,
    body: { code: 'entry_not_found', errors: [{ path: 'changes[1].entry.id' }] },
  })
  expect(await read('all:one@1')).toMatchObject({ status: 404 })
  expect((await api.call('/v1/registry/entries')).body.version).toBe(body.version)
})

test('every fault of every entry is told with its path', async () => {
  const refused = await change([
    {
      op: 'create',
      entry: template('bad:a', { phases: [{ id: 'p', gate: { title: 'T', deadline: 'soon' } }] }),
    },
    { op: 'create', entry: schema('bad:b', { colour: 'red', schema: { type: 'objekt' } }) },
    { op: 'create', entry: { kind: 'recipe', id: 'bad:c' } },
    { op: 'create', entry: schema('Bad id') },
    { op: 'create', entry: schema('bad:d@1+deadbeef') },
    { op: 'delete', entry: { kind: 'schema' } },
  ])
  expect(refused).toMatchObject({ status: 400, body: { kind: 'INVALID', code: 'invalid_entry' } })
  expect(refused.body.errors.map(({ path }: { path: string }) => path)).toEqual([
    'changes[0].entry.phases[0].gate.deadline',
    'changes[1].entry.colour',
    'changes[2].entry.kind',
    'changes[3].entry.id',
    'changes[4].entry.id',
    'changes[5].entry.id',
  ])
  expect(refused.body.detail).toContain('changes[0].entry.phases[0].gate.deadline')
  expect(
    await change([{ op: 'create', entry: schema('bad:e', { schema: { type: 'objekt' } }) }]),
  ).toMatchObject({
    status: 400,
    body: {
      code: 'invalid_entry',
      detail: expect.stringContaining('changes[0].entry.schema.type: must be one of'),
    },
  })
  // As a name it would be lost on the way, without a word.
  const sneaky = JSON.parse('{"kind":"schema","id":"bad:p","schema":{"__proto__":{"a":1}}}')
  expect(await change([{ op: 'create', entry: sneaky }])).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'changes[0].entry.schema.__proto__' }] },
  })
  const twice = [schema('bad:f'), schema('devflow:bad/f'), schema('bad/f')]
  expect(await change(twice.map((entry) => ({ op: 'create', entry })))).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'changes[2].entry.id', message: expect.stringContaining('changes[1]') }] },
  })
  for (const body of [
    {},
    { changes: [] },
    { changes: [{ op: 'rename', entry: {} }] },
    { changes: [], more: 1 },
  ]) {
    expect(await api.call('/v1/registry/changes', { json: body })).toMatchObject({ status: 400 })
  }
})

test('a template that is wrong in itself is refused at its path', async () => {
  const wrong = template('wrong:t', {
    phases: [{ id: 'p', when: $('input.x +'), wait: { for: 'PT1S' } }],
  })
  expect(await change([{ op: 'create', entry: wrong }])).toMatchObject({
    status: 400,
    body: { code: 'invalid_entry', errors: [{ path: 'changes[0].entry.phases[0].when' }] },
  })
  expect(await change([{ op: 'create', entry: agent('wrong:a', 'wrong:no-schema') }])).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'changes[0].entry.artifacts.note.schema' }] },
  })
  const noPersona = agent('wrong:b', 'dev/spec@1', 'wrong:nobody')
  expect(await change([{ op: 'create', entry: noPersona }])).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'changes[0].entry.roles.writer.persona' }] },
  })
  // Who plays a role is said by the submission: a template may wait for its persona.
  const open = { ...agent('wrong:c', 'dev/spec@1'), roles: { writer: { capabilities: ['cooking'] } } }
  expect(await change([{ op: 'create', entry: open }])).toMatchObject({ status: 200 })
})

test('roles that no binding could mend, and scripts that say nothing, are refused at their path', async () => {
  const role = (differentVendorFrom: string) => ({
    roles: { r: { persona: 'offline-verifier@1', differentVendorFrom } },
  })
  const persona = (script: unknown) => ({
    kind: 'persona',
    id: 'acme:p@1',
    model: { provider: 'scripted', name: 's', script },
  })
  for (const [entry, path] of [
    [template('acme:roles@1', role('nope')), 'roles.r.differentVendorFrom'],
    [template('acme:roles@1', role('r')), 'roles.r.differentVendorFrom'],
    [persona({ turns: [{ foo: 1 }] }), 'model.script.turns[0].foo'],
    [persona({ turns: [{}], phases: { a: [] } }), 'model.script.phases.a'],
  ] as const)
    expect(await change([{ op: 'create', entry }])).toMatchObject({
      status: 400,
      body: { errors: [{ path: `changes[0].entry.${path}` }] },
    })
})

test('a change that breaks a template of another author is refused, naming the path in it', async () => {
  await create(schema('dep:note'), agent('dep:t', 'dep:note'))
  const gone = await change([{ op: 'delete', entry: { id: 'dep:note' } }])
  expect(gone).toMatchObject({
    status: 400,
    body: { code: 'breaks_template', errors: [{ path: 'entries[dep:t].artifacts.note.schema' }] },
  })
  expect(await read('dep:note')).toMatchObject({ status: 200 })
  const both = ['dep:note', 'dep:t'].map((id) => ({ op: 'delete', entry: { id } }))
  expect(await change(both)).toMatchObject({ status: 200 })
})

test('an expression that a new schema no longer carries breaks its template', async () => {
  const note = (property: string) =>
    schema('expr:note', {
      schema: { type: 'object', additionalProperties: false, properties: { [property]: { type: 'string' } } },
    })
  const user = { ...agent('expr:t', 'expr:note'), output: $('artifacts.note.text') }
  await create(note('text'), user)
  expect(await change([{ op: 'update', entry: note('words') }])).toMatchObject({
    status: 400,
    body: { code: 'breaks_template', errors: [{ path: 'entries[expr:t].output' }] },
  })
  // A reference without a version means the newest, so a new version can break it too.
  expect(await change([{ op: 'create', entry: { ...note('words'), id: 'expr:note@1' } }])).toMatchObject({
    status: 400,
    body: { code: 'breaks_template' },
  })
})

test('a persona that a role is bound to by capability cannot go', async () => {
  const cook = {
    kind: 'persona',
    id: 'cap:cook',
    capabilities: ['cap-cooking'],
    model: { provider: 'openrouter', name: 'acme/cook' },
  }
  const dish = { ...agent('cap:t', 'dev/spec@1'), roles: { writer: { capabilities: ['cap-cooking'] } } }
  await create(cook, dish)
  expect(await change([{ op: 'delete', entry: cook }])).toMatchObject({
    status: 400,
    body: { code: 'breaks_template', errors: [{ path: 'entries[cap:t].roles.writer' }] },
  })
})

test('a name@version has one content for ever, also once it is deleted', async () => {
  await create(schema('fixed:a@1', { title: 'One' }))
  const immutable = { status: 409, body: { kind: 'CONFLICT', code: 'immutable_entry' } }
  const other = schema('fixed:a@1', { title: 'Two' })
  expect(await change([{ op: 'update', entry: other }])).toMatchObject(immutable)
  expect(await change([{ op: 'create', entry: other }])).toMatchObject(immutable)
  const same = schema('fixed:a@1', { title: 'One' })
  expect(await change([{ op: 'update', entry: same }])).toMatchObject({ status: 200 })
  expect(await change([{ op: 'create', entry: same }])).toMatchObject({
    status: 409,
    body: { kind: 'ALREADY_EXISTS', code: 'entry_exists' },
  })
  expect(await change([{ op: 'delete', entry: { id: 'fixed:a@1' } }])).toMatchObject({ status: 200 })
  expect(await change([{ op: 'create', entry: other }])).toMatchObject(immutable)
  expect(await change([{ op: 'create', entry: same }])).toMatchObject({ status: 200 })
  expect(await read('fixed:a@1')).toMatchObject({ body: { entry: { title: 'One' } } })
})

test('what comes from a folder is not changed over HTTP', async () => {
  const other = template('test/echo@1', { title: 'Mine' })
  for (const op of ['create', 'update']) {
    expect(await change([{ op, entry: other }])).toMatchObject({
      status: 409,
      body: { code: 'immutable_entry' },
    })
  }
  expect(await change([{ op: 'delete', entry: { id: 'test/echo@1' } }])).toMatchObject({
    status: 409,
    body: { kind: 'CONFLICT', code: 'read_only_entry' },
  })
  const { entry } = (await read('test/echo@1')).body
  expect(await change([{ op: 'create', entry }])).toMatchObject({
    status: 409,
    body: { code: 'entry_exists' },
  })
  expect(await change([{ op: 'update', entry }])).toMatchObject({
    status: 409,
    body: { code: 'read_only_entry' },
  })
  expect(await change([{ op: 'create', entry: { ...other, id: 'test/echo@2' } }])).toMatchObject({
    status: 200,
  })
  expect(await read('test/echo')).toMatchObject({ body: { id: 'test/echo@2' } })
})

test('a change made for a version that is no longer current is refused', async () => {
  const version = await create(schema('base:a'))
  expect(
    await change([{ op: 'delete', entry: { id: 'base:a' } }], { baseVersion: version - 1 }),
  ).toMatchObject({
    status: 409,
    body: {
      kind: 'CONFLICT',
      code: 'stale_base',
      errors: [{ path: 'baseVersion', message: expect.stringContaining(`${version}`) }],
    },
  })
  expect(await change([{ op: 'delete', entry: { id: 'base:a' } }], { baseVersion: version })).toMatchObject({
    status: 200,
  })
})

test('a repeated change is made once', async () => {
  const headers = { 'idempotency-key': 'registry-1' }
  const first = await change([{ op: 'create', entry: schema('once:a') }], {}, headers)
  const again = await change([{ op: 'create', entry: schema('once:a') }], {}, headers)
  expect(first).toMatchObject({ status: 200 })
  expect(again).toMatchObject({ status: 200, body: first.body })
  expect(again.headers.get('idempotency-replayed')).toBe('true')
  expect(await change([{ op: 'create', entry: schema('once:b') }], {}, headers)).toMatchObject({
    status: 422,
    body: { code: 'idempotency_key_reused' },
  })
})
