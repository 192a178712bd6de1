import { SCOPES, type Scope } from '@devflow/contracts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openApiDocument } from '../document.ts'
import { gateOpened, STARTED, type TestApi, testApi } from '../test-api.fixture.ts'

/** For tests that count nothing of what others leave there. */
let shared: TestApi
beforeAll(async () => {
  shared = await testApi({}, afterAll)
})

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

interface Minted {
  id: string
  token: string
  principal: string
  scopes: Scope[]
  expiresAt: string
}

/** Mints a token, as the owner unless `by` says otherwise. */
async function mint(
  api: TestApi,
  scopes: Scope[],
  more: { name?: string; principal?: string; expiresIn?: string } = {},
  by: Record<string, string> = {},
): Promise<Minted> {
  const made = await api.call('/v1/tokens', { json: { name: 'x', scopes, ...more }, headers: by })
  expect(made).toMatchObject({ status: 201 })
  return made.body
}

/** What a call with this token is answered. */
const as = (
  api: TestApi,
  { token }: { token: string },
  path: string,
  init: Parameters<TestApi['call']>[1] = {},
) => api.call(path, { ...init, headers: { ...bearer(token), ...Object(init.headers) } })

describe('a token', () => {
  test('of the owner is a principal of its own; it is shown once, kept as a hash, and calls with its scopes alone', async () => {
    const api = await testApi()
    const made = await api.call('/v1/tokens', {
      json: { name: 'Nightly', scopes: ['runs:write', 'runs:read'] },
    })
    expect(made).toMatchObject({
      status: 201,
      body: { name: 'Nightly', scopes: ['runs:read', 'runs:write'], tenant: 'default', actor: 'owner' },
    })
    const { token, id, principal, createdAt, expiresAt } = made.body
    expect(token).toMatch(/^dfl_[\w-]{43}$/)
    expect(principal).toBe(`token:${id}`)
    expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(90 * 86_400_000)

    const listed = await api.call('/v1/tokens')
    expect(listed.body.items).toEqual([{ ...made.body, token: undefined }])
    const { rows } = await api.deps.pool.query('select t::text as text from devflow.tokens t')
    expect(rows).toHaveLength(1)
    expect(rows[0].text).not.toContain(token)

    expect((await as(api, made.body, '/v1/me')).body).toEqual({
      principal,
      tenant: 'default',
      scopes: ['runs:read', 'runs:write'],
      approverAs: [`principal:${principal}`],
    })
    const run = await api.submit({}, bearer(token))
    expect((await as(api, made.body, `/v1/runs/${run.id}`)).body).toMatchObject({ actor: principal })
    expect(await as(api, made.body, '/v1/registry/entries')).toMatchObject({
      status: 403,
      body: {
        kind: 'PERMISSION_DENIED',
        code: 'scope_missing',
        detail: expect.stringContaining('registry:read'),
      },
    })
    expect(api.logged.join('')).not.toContain(token)
  })

  test('that is false, revoked or expired is nobody, on loopback too', async () => {
    const api = await testApi()
    const revoked = await mint(api, ['runs:read'])
    const expired = await mint(api, ['runs:read'], { expiresIn: 'PT0.001S' })
    expect(await api.call(`/v1/tokens/${revoked.id}`, { method: 'DELETE' })).toMatchObject({ status: 204 })
    expect(await api.call(`/v1/tokens/${revoked.id}`, { method: 'DELETE' })).toMatchObject({
      status: 404,
      body: { code: 'token_not_found' },
    })
    for (const token of [revoked.token, expired.token, `dfl_${'x'.repeat(43)}`, 'dfl_', `${revoked.token}x`])
      expect(await as(api, { token }, '/v1/me'), token).toMatchObject({
        status: 401,
        body: { code: 'unauthenticated' },
      })
  })

  const STREAM = { accept: 'text/event-stream' }

  test('that is revoked while it has streams open ends them, and nobody else’s', async () => {
    const api = await testApi({ DEVFLOW_HEARTBEAT_MS: '50' })
    const run = await api.submit()
    const [mine, other] = [await mint(api, ['runs:read']), await mint(api, ['runs:read'])]
    const open = (path: string, { token }: Minted) =>
      api.request(path, { headers: { ...STREAM, ...bearer(token) } })
    const paths = [`/v1/runs/${run.id}/events`, '/v1/stream', '/v1/events']
    const [streams, kept] = [
      await Promise.all(paths.map((path) => open(path, mine))),
      await open('/v1/stream', other),
    ]
    const ends = streams.map((stream) => stream.text())
    const reader = kept.body?.getReader()
    expect((await reader?.read())?.done).toBe(false)
    await api.call(`/v1/tokens/${mine.id}`, { method: 'DELETE' })
    // To their ends, which nothing else brings.
    await Promise.all(ends)
    for (let heartbeats = 0; heartbeats < 3; heartbeats += 1) expect((await reader?.read())?.done).toBe(false)
    await reader?.cancel()
  })

  test('that expires while it has a stream open ends it', async () => {
    const api = await testApi({ DEVFLOW_HEARTBEAT_MS: '50' })
    const { token } = await mint(api, ['runs:read'], { expiresIn: 'PT1S' })
    const stream = await api.request('/v1/stream', { headers: { ...STREAM, ...bearer(token) } })
    expect(stream.status).toBe(200)
    await stream.text()
    expect((await as(api, { token }, '/v1/me')).status).toBe(401)
  })

  test('of one who is no admin mints only for its own principal, with no more scopes and no longer life, and they end with it', async () => {
    const api = await testApi()
    const ann = await mint(api, ['runs:read', 'tokens:write'], { principal: 'ann', expiresIn: 'P1D' })
    const bob = await mint(api, ['runs:read', 'tokens:write'], { principal: 'bob' })
    const second = await mint(api, ['runs:read', 'tokens:write'], { expiresIn: 'P30D' }, bearer(ann.token))
    expect(second).toMatchObject({ principal: 'ann', expiresAt: ann.expiresAt })
    const third = await mint(api, ['runs:read'], { principal: 'ann' }, bearer(second.token))

    for (const [asked, words] of [
      [{ scopes: ['runs:read', 'runs:write'] }, 'runs:write'],
      [{ scopes: ['admin'] }, 'admin'],
      [{ scopes: ['runs:read'], principal: 'bob' }, 'Only an admin'],
      [{ scopes: ['runs:read'], principal: 'owner' }, 'Only an admin'],
    ] as const)
      expect(await as(api, ann, '/v1/tokens', { json: { name: 'x', ...asked } })).toMatchObject({
        status: 403,
        body: { code: 'scope_missing', detail: expect.stringContaining(words) },
      })

    const ids = async (by: Minted) =>
      (await as(api, by, '/v1/tokens')).body.items.map(({ id }: { id: string }) => id)
    expect(await ids(ann)).toEqual([third.id, second.id, ann.id])
    expect(await ids(bob)).toEqual([bob.id])
    expect(await as(api, bob, `/v1/tokens/${ann.id}`, { method: 'DELETE' })).toMatchObject({ status: 404 })
    expect(await as(api, ann, `/v1/tokens/${ann.id}`, { method: 'DELETE' })).toMatchObject({ status: 204 })
    for (const gone of [ann, second, third]) expect((await as(api, gone, '/v1/me')).status).toBe(401)
    expect(await ids(bob)).toEqual([bob.id])
  })

  test('of an admin may everything, and what it mints outlives it', async () => {
    const api = await testApi()
    const admin = await mint(api, ['admin'], { principal: 'root' })
    expect((await as(api, admin, '/v1/me')).body.scopes).toEqual([...SCOPES])
    const made = await mint(api, ['runs:read'], { principal: 'ann' }, bearer(admin.token))
    expect((await as(api, admin, '/v1/tokens')).body.items).toHaveLength(2)
    expect(await api.call(`/v1/tokens/${admin.id}`, { method: 'DELETE' })).toMatchObject({ status: 204 })
    expect((await as(api, made, '/v1/me')).status).toBe(200)
  })

  test('is answered once: a repeat under its Idempotency-Key says which it was, without it', async () => {
    const api = shared
    const ask = () =>
      api.call('/v1/tokens', {
        json: { name: 'x', scopes: ['runs:read'] },
        headers: { 'idempotency-key': 'k' },
      })
    const first = await ask()
    const again = await ask()
    expect(first).toMatchObject({ status: 201, body: { token: expect.any(String) } })
    const { token: _, ...rest } = first.body
    expect(again).toMatchObject({ status: 200 })
    expect(again.body).toEqual(rest)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
  })

  test.each([
    [{ scopes: ['runs:read'] }, 'name'],
    [{ name: 'a\nb', scopes: ['runs:read'] }, 'name'],
    [{ name: 'x', scopes: [] }, 'scopes'],
    [{ name: 'x', scopes: ['runs:rule'] }, 'scopes[0]'],
    [{ name: 'x', scopes: ['runs:read'], expiresIn: 'PT0S' }, 'expiresIn'],
    [{ name: 'x', scopes: ['runs:read'], expiresIn: 'soon' }, 'expiresIn'],
    [{ name: 'x', scopes: ['runs:read'], principal: '' }, 'principal'],
  ])('is refused at the place that is wrong: %j', async (json, path) => {
    const api = shared
    expect(await api.call('/v1/tokens', { json })).toMatchObject({
      status: 400,
      body: { code: 'invalid', errors: [{ path }] },
    })
  })

  test('is for a tenant that there is', async () => {
    const api = shared
    const ask = (tenant: string) =>
      api.call('/v1/tokens', { json: { name: 'x', scopes: ['runs:read'], tenant } })
    expect(await ask('acme')).toMatchObject({ status: 404, body: { code: 'tenant_not_found' } })
    expect(await ask('default')).toMatchObject({ status: 201, body: { tenant: 'default' } })
  })
})

test('every operation refuses who lacks the scope that its document names, before it looks at anything else', async () => {
  const api = shared
  const document = JSON.parse(JSON.stringify(openApiDocument(api.api))) as {
    paths: Record<string, Record<string, { operationId: string; security?: Record<string, Scope[]>[] }>>
  }
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, security }]) => ({
      method: method.toUpperCase(),
      path: path.replace(/\{\w+\}/g, '01985f2e-7a3b-7c4d-8e5f-60718293a4b5'),
      operationId,
      needed: [...new Set((security ?? []).flatMap((way) => Object.values(way).flat()))],
    })),
  )
  const tokens = new Map<Scope, Minted>()
  for (const scope of SCOPES.filter((each) => each !== 'admin')) tokens.set(scope, await mint(api, [scope]))

  const open: string[] = []
  for (const { method, path, operationId, needed } of operations) {
    if (needed.length === 0) {
      open.push(operationId)
      continue
    }
    for (const [scope, { token }] of tokens) {
      if (needed.includes(scope)) continue
      const response = await api.request(path, {
        method,
        headers: { ...bearer(token), 'content-type': 'application/json' },
        ...(method === 'GET' ? {} : { body: '{' }),
      })
      expect({ operationId, scope, status: response.status }).toEqual({ operationId, scope, status: 403 })
      expect(await response.json()).toMatchObject({ code: 'scope_missing' })
    }
  }
  expect(open.sort()).toEqual([
    'checkHealth',
    'checkReadiness',
    'closeSession',
    'openRun',
    'openSession',
    'readLlmsFullTxt',
    'readLlmsTxt',
    'readManualPage',
    'readMe',
    'readMetrics',
    'readOpenApi',
    'readReference',
    'readReportSchema',
  ])
})

describe('principals', () => {
  const RULES = { approvers: ['principal:ann', 'principal:bob'], quorum: 2 }

  async function atGate(api: TestApi, rules: Record<string, unknown> = RULES) {
    const run = await api.submit({ template: 'test/gate@1', input: {} })
    await api.append(run.id, ...STARTED.slice(0, 1), gateOpened(rules))
    return `/v1/runs/${run.id}/gates/approve/decisions`
  }

  test('each count once towards a quorum, by whichever token they call', async () => {
    const api = shared
    const gate = await atGate(api)
    const [ann, annAgain, bob, carl] = await Promise.all(
      ['ann', 'ann', 'bob', 'carl'].map((principal) => mint(api, ['gates:decide'], { principal })),
    )
    if (!ann || !annAgain || !bob || !carl) throw new Error('four were minted')
    const approve = { json: { decision: 'approve' } }
    expect(await api.call(gate, approve)).toMatchObject({ status: 403, body: { code: 'not_approver' } })
    expect(await as(api, carl, gate, approve)).toMatchObject({ status: 403, body: { code: 'not_approver' } })
    expect(await as(api, ann, gate, approve)).toMatchObject({ status: 200, body: { status: 'open' } })
    expect(await as(api, annAgain, gate, approve)).toMatchObject({ status: 200, body: { status: 'open' } })
    expect(await as(api, annAgain, gate, { json: { decision: 'reject' } })).toMatchObject({ status: 409 })
    expect(await as(api, bob, gate, approve)).toMatchObject({
      status: 200,
      body: { status: 'approved', decisions: [{ actor: 'ann' }, { actor: 'bob' }] },
    })
  })

  test('hold the roles of their tokens, which only an admin gives', async () => {
    const api = shared
    const gate = await atGate(api, { approvers: ['role:lead'], quorum: 2 })
    const of = (principal: string, roles: string[]) =>
      api.call('/v1/tokens', {
        json: { name: 'x', scopes: ['gates:decide', 'tokens:write'], principal, roles },
      })
    const [ann, bob, carl] = await Promise.all([
      of('ann', ['lead', 'lead']),
      of('bob', ['lead', 'head']),
      of('carl', ['head']),
    ])
    expect(ann.body).toMatchObject({ roles: ['lead'] })
    expect((await as(api, bob.body, '/v1/me')).body).toMatchObject({
      approverAs: ['principal:bob', 'role:lead', 'role:head'],
    })
    const approve = { json: { decision: 'approve' } }
    expect(await as(api, carl.body, gate, approve)).toMatchObject({
      status: 403,
      body: { code: 'not_approver' },
    })
    const raised = { json: { name: 'x', scopes: ['gates:decide'], roles: ['lead'] } }
    expect(await as(api, carl.body, '/v1/tokens', raised)).toMatchObject({
      status: 403,
      body: { code: 'scope_missing', detail: expect.stringContaining('lead') },
    })
    const handed = await as(api, bob.body, '/v1/tokens', raised)
    expect(handed).toMatchObject({ status: 201, body: { principal: 'bob', roles: ['lead'] } })
    expect(await as(api, ann.body, gate, approve)).toMatchObject({ status: 200, body: { status: 'open' } })
    expect(await as(api, handed.body, gate, approve)).toMatchObject({
      status: 200,
      body: { status: 'approved' },
    })
  })

  test('do not answer each other’s Idempotency-Keys: the second is told, and nothing is lost', async () => {
    const api = shared
    const gate = await atGate(api)
    const ann = await mint(api, ['gates:decide'], { principal: 'ann' })
    const bob = await mint(api, ['gates:decide'], { principal: 'bob' })
    const approve = { json: { decision: 'approve' }, headers: { 'idempotency-key': 'the same' } }
    expect(await as(api, ann, gate, approve)).toMatchObject({ status: 200 })
    expect(await as(api, bob, gate, approve)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    })
    expect(await as(api, ann, gate, approve)).toMatchObject({ status: 200, body: { status: 'open' } })
  })

  test('with the scope of deciding alone see gates and their subjects, and nothing else of runs', async () => {
    const api = await testApi()
    const gate = await atGate(api)
    const ann = await mint(api, ['gates:decide'], { principal: 'ann' })
    expect((await as(api, ann, '/v1/gates')).body.items).toHaveLength(1)
    const run = gate.split('/').slice(0, 4).join('/')
    expect((await as(api, ann, `${run}/gates`)).status).toBe(200)
    expect((await as(api, ann, `${run}/artifacts`)).status).toBe(200)
    expect((await as(api, ann, run)).status).toBe(403)
  })
})

describe('a session of a browser', () => {
  const TOKEN = 'a-token-of-twenty-chars-or-more'
  const elsewhere = { DEVFLOW_HOST: '0.0.0.0', DEVFLOW_TOKEN: TOKEN }

  test('begins with a token, calls by its cookie, and ends', async () => {
    const api = await testApi(elsewhere)
    const made = await api.call('/v1/tokens', {
      json: { name: 'x', scopes: ['runs:read'], principal: 'ann', expiresIn: 'P1D' },
      headers: bearer(TOKEN),
    })
    const opened = await api.request('/v1/session', { json: { token: made.body.token } })
    expect(await opened.json()).toMatchObject({ principal: 'ann', scopes: ['runs:read'] })
    const cookie = opened.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/^devflow_session=[^;]+;.*HttpOnly/)
    expect(cookie).toMatch(/SameSite=Strict/)
    expect(cookie).toMatch(/Path=\//)
    expect(cookie).toMatch(/Expires=/)
    const [pair = ''] = cookie.split(';')
    expect((await api.call('/v1/me', { headers: { cookie: pair } })).body).toMatchObject({ principal: 'ann' })
    // The header says who calls where there are both.
    expect((await api.call('/v1/me', { headers: { cookie: pair, ...bearer(TOKEN) } })).body).toMatchObject({
      principal: 'owner',
    })
    const closed = await api.request('/v1/session', { method: 'DELETE' })
    expect(closed.status).toBe(204)
    expect(closed.headers.get('set-cookie')).toMatch(/^devflow_session=;.*Max-Age=0/)
    await api.call(`/v1/tokens/${made.body.id}`, { method: 'DELETE', headers: bearer(TOKEN) })
    expect((await api.call('/v1/me', { headers: { cookie: pair } })).status).toBe(401)
  })

  test('is not begun with a false token, nor by a page of another origin; on loopback an old cookie says nothing', async () => {
    const api = await testApi(elsewhere)
    const token = `dfl_${'x'.repeat(43)}`
    expect(await api.call('/v1/session', { json: { token } })).toMatchObject({
      status: 401,
      body: { code: 'unauthenticated' },
    })
    expect(
      await api.call('/v1/session', { json: { token: TOKEN }, headers: { origin: 'https://evil.example' } }),
    ).toMatchObject({ status: 403, body: { code: 'origin_refused' } })
    const here = await testApi()
    expect(
      (await here.call('/v1/me', { headers: { cookie: `devflow_session=${token}` } })).body,
    ).toMatchObject({
      principal: 'owner',
    })
  })
})
