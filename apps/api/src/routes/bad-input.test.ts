import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { gateOpened, STARTED, type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi
let run: string
beforeAll(async () => {
  api = await testApi(
    { DEVFLOW_MAX_BODY_BYTES: '20000', OPENROUTER_API_KEY: 'sk-or-v1-secret-key' },
    afterAll,
  )
  run = (await api.submit()).id
  await api.append(run, ...STARTED)
  const gate = gateOpened()
  await api.append(run, { ...gate, phase: 'pause', key: 'pause/1/opened' })
})

/** What every refusal is; `status` when given. */
async function expectProblem(response: Response, status?: number): Promise<Record<string, unknown>> {
  const text = await response.text()
  expect(response.headers.get('content-type'), text).toBe('application/problem+json')
  if (status !== undefined) expect(response.status, text).toBe(status)
  expect(response.status).toBeLessThan(500)
  const body = JSON.parse(text)
  expect(body).toMatchObject({
    status: response.status,
    kind: expect.stringMatching(/^[A-Z_]+$/),
    code: expect.stringMatching(/^[a-z_]+$/),
    title: expect.any(String),
    detail: expect.any(String),
    instance: expect.any(String),
    traceId: response.headers.get('x-request-id'),
  })
  expect(text).not.toMatch(/ at .*\.ts:|select .* from|sk-or-v1-secret-key/)
  return body
}

const post = (
  body: string | Uint8Array<ArrayBuffer>,
  type: string | null = 'application/json',
  path = '/v1/runs',
) => api.request(path, { method: 'POST', body, headers: type === null ? {} : { 'content-type': type } })

describe('bodies', () => {
  test.each([
    ['{a}', 1, 2],
    ['{"a":1,}', 1, 8],
    ['{"a":\n [1,\n x]}', 3, 2],
    ['', 1, 1],
    ['{"a": "unfinished', 1, 18],
    ['nul', 1, 4],
    ['{"t":true,"z":tru}', 1, 18],
  ])('malformed JSON %j is 400 with its place', async (text, line, column) => {
    const body = await expectProblem(await post(text), 400)
    expect(body).toMatchObject({
      code: 'malformed_json',
      detail: expect.stringContaining(`line ${line}, column ${column}`),
    })
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/problem+json',
    'application/json; charset=latin1',
    'application/jsonp',
    null,
  ])('content type %s is 415', async (type) => {
    await expectProblem(await post(new TextEncoder().encode('{}'), type), 415)
  })

  test.each(['application/json; charset=utf-8', 'application/json;charset=UTF-8', 'Application/JSON'])(
    'content type %s is taken',
    async (type) => {
      expect(await expectProblem(await post('{}', type), 400)).toMatchObject({ code: 'invalid' })
    },
  )

  test('a body over the limit is 413, also one that does not tell its length', async () => {
    await expectProblem(await post('x'.repeat(20_001)), 413)
    const endless = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(1_000))
      },
    })
    const init = {
      method: 'POST',
      body: endless,
      duplex: 'half',
      headers: { 'content-type': 'application/json' },
    }
    await expectProblem(await api.request('/v1/runs', init as RequestInit), 413)
  })

  test('what is nested too deep or holds too many keys is 400 before it is built', async () => {
    expect(await expectProblem(await post('['.repeat(9_000) + ']'.repeat(9_000)), 400)).toMatchObject({
      code: 'too_deep',
    })
    expect(await expectProblem(await post(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`), 400)).toMatchObject({
      code: 'too_deep',
    })
    const colons = `[${'"::",'.repeat(3_000)}1]`
    expect(await expectProblem(await post(colons), 400)).toMatchObject({ code: 'invalid' })
  })

  test('bytes that are no UTF-8 are malformed', async () => {
    expect(await expectProblem(await post(new Uint8Array([0x7b, 0xff, 0x7d])), 400)).toMatchObject({
      code: 'malformed_json',
    })
  })

  test('a body where none is taken, and none where one is needed', async () => {
    const init = { method: 'DELETE', body: '{}', headers: { 'content-type': 'application/json' } }
    await expectProblem(await api.request(`/v1/runs/${run}`, init), 400)
    await expectProblem(await api.request('/v1/runs', { method: 'POST' }), 415)
  })

  test('an empty body is none where one may be left out, whatever its type says', async () => {
    expect((await post('', 'application/json', `/v1/runs/${run}/resume`)).status).toBe(202)
    await expectProblem(await post('', 'text/plain', `/v1/runs/${run}/resume`), 415)
  })

  test('a limit with more digits than can be kept is refused, not rounded', async () => {
    const put = (limit: string) =>
      api.request('/v1/budgets', {
        method: 'PUT',
        body: `[{"scope":"day","limitMicroUsd":${limit},"onExceeded":"block"}]`,
        headers: { 'content-type': 'application/json' },
      })
    for (const limit of ['123456789012.123456', '1.0000000000000000001'])
      expect(await expectProblem(await put(limit), 400)).toMatchObject({
        errors: [{ path: '[0].limitMicroUsd', message: 'expected micro-dollars with at most 15 digits' }],
      })
    for (const limit of ['123456789.123456', '1e3', '5.10']) expect((await put(limit)).status).toBe(200)
    expect((await api.call('/v1/budgets', { method: 'PUT', json: [] })).status).toBe(200)
  })

  test('null is a body, and not the one that may be left out', async () => {
    expect(
      await expectProblem(await post('null', 'application/json', `/v1/runs/${run}/pause`), 400),
    ).toMatchObject({ code: 'invalid' })
    expect((await api.request(`/v1/runs/${run}/signals/x`, { method: 'POST' })).status).toBe(202)
  })

  test('a secret in what is sent is scrubbed before it is kept', async () => {
    const { id } = await api.submit({ input: { request: 'my key is sk-or-v1-secret-key.' } })
    expect((await api.call(`/v1/runs/${id}`)).body.input.request).toBe('my key is [secret].')
    await expectProblem(await post(JSON.stringify({ template: 'x', 'sk-or-v1-secret-key': 1 })), 400)
  })
})

describe('paths and methods', () => {
  test.each(['/', '/v1', '/v1/run', '/v1/runs/', '/v1/batches', '/%', '/v1/runs/%E0%A4%A', '//v1/runs'])(
    '%s is 404',
    async (path) => {
      await expectProblem(await api.request(path), 404)
    },
  )

  test.each([
    ['POST', '/v1/batches'],
    ['POST', '/v1/batches/validate'],
    ['GET', '/v1/batches/x'],
    ['GET', '/v1/tenants'],
  ])('%s %s is of the contract but not built: 404', async (method, path) => {
    expect(await expectProblem(await api.request(path, { method }), 404)).toMatchObject({ code: 'not_found' })
  })

  test.each([
    ['PUT', '/v1/runs', 'POST, GET, HEAD'],
    ['PUT', '/v1/runs/preview', 'POST'],
    ['GET', '/v1/runs/preview', 'POST'],
    ['DELETE', '/v1/runs/preview', 'POST'],
    ['PATCH', '/v1/runs/x', 'GET, DELETE, HEAD'],
    ['GET', '/v1/runs/x/cancel', 'POST'],
    ['OPTIONS', '/v1/runs', 'POST, GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['POST', '/openapi.json', 'GET, HEAD'],
  ])('%s %s is 405 with Allow', async (method, path, allow) => {
    const response = await api.request(path, { method })
    expect(response.headers.get('allow')).toBe(allow)
    expect(await expectProblem(response, 405)).toMatchObject({ code: 'method_not_allowed' })
  })

  test('another host or origin is 403', async () => {
    await expectProblem(await api.request('/v1/runs', { headers: { host: 'evil.example' } }), 403)
    await expectProblem(await api.request('/v1/runs', { headers: { origin: 'https://evil.example' } }), 403)
    await expectProblem(await api.request('/v1/runs', { headers: { authorization: 'Bearer nope' } }), 401)
  })
})

describe('hostile input, on every route', () => {
  const hostile = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '\u0000',
      '\ud800',
      '__proto__',
      'constructor',
      "'; drop table x; --",
      '../..',
      '%00',
      'NaN',
      '-1',
      '9'.repeat(30),
      '{}',
      '💥',
    ),
  )
  const segment = fc.oneof(
    hostile.map((text) => encodeURIComponent(text.toWellFormed())),
    fc.constantFrom('%00', '%ff', '%', '..', '.'),
  )
  const value = fc.oneof(
    hostile,
    fc.jsonValue({ maxDepth: 4 }),
    fc.constantFrom(1e308, -0, Number.MAX_SAFE_INTEGER, 1.1e-7, 4.51),
  )
  const body = fc.dictionary(
    fc.oneof(
      fc.constantFrom(
        'template',
        'input',
        'bindings',
        'budget',
        'workspace',
        'labels',
        'parent',
        'reason',
        'decision',
        'comment',
        'subjectHash',
        'data',
        'id',
        'raiseToMicroUsd',
        '__proto__',
      ),
      hostile,
    ),
    fc.oneof(
      value,
      fc.constantFrom(
        'test/echo@1',
        'approve',
        'reject',
        { request: 'x' },
        { repo: '/' },
        { repo: '\u0000' },
        { limitMicroUsd: 5 },
      ),
    ),
  )
  const routes = () => api.api.documented.filter(({ path }) => path !== '/readyz')

  test('never a 5xx, always a problem with a kind and a code', async () => {
    const all = routes()
    expect(all.length).toBeGreaterThan(18)
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: all.length - 1 }),
        fc.array(segment, { minLength: 2, maxLength: 2 }),
        fc.constantFrom('own', 'any'),
        fc.dictionary(
          fc.oneof(
            fc.constantFrom(
              'limit',
              'cursor',
              'after',
              'type',
              'chunks',
              'status',
              'template',
              'label.x',
              'kind',
              'version',
              'createdAfter',
            ),
            hostile,
          ),
          hostile,
          { maxKeys: 3 },
        ),
        fc.oneof(
          body.map((each) => JSON.stringify(each)),
          fc.json(),
          hostile,
        ),
        fc.oneof(
          fc.constant(undefined),
          hostile.map((text) =>
            Buffer.from(text)
              .toString('latin1')
              .replace(/[^\x20-\x7e]/g, ''),
          ),
        ),
        async (index, [first = '', second = ''], whose, query, sent, key) => {
          const route = all[index]
          if (!route) return
          const own = { id: run, gate: 'approve', name: 'go' }
          const names = whose === 'own' ? own : { id: first, gate: second, name: second }
          const path = route.path.replace(
            /\{(\w+)\}/g,
            (_, name: 'id' | 'gate' | 'name') => names[name] || 'x',
          )
          const search = new URLSearchParams(
            Object.entries(query).map(([name, text]) => [name.toWellFormed(), text.toWellFormed()]),
          )
          const response = await api.request(`${path}?${search}`, {
            method: route.method.toUpperCase(),
            ...(route.method === 'post'
              ? {
                  body: sent,
                  headers: {
                    'content-type': 'application/json',
                    ...(key === undefined ? {} : { 'idempotency-key': key }),
                  },
                }
              : {}),
          })
          if (response.status >= 400) await expectProblem(response)
          else if (response.headers.get('content-type')?.startsWith('text/event-stream'))
            await response.body?.cancel()
          else await response.text()
        },
      ),
      { numRuns: 600 },
    )
    expect(api.logged).toEqual([])
  }, 60_000)

  test('headers too', async () => {
    const text = hostile.map((each) =>
      Buffer.from(each)
        .toString('latin1')
        .replace(/[\0\r\n]/g, ''),
    )
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.constantFrom(
          'accept',
          'prefer',
          'last-event-id',
          'if-none-match',
          'host',
          'origin',
          'authorization',
          'content-type',
        ),
        async (given, name) => {
          const headers = new Headers()
          headers.set(name, given)
          const response = await api.request(`/v1/runs/${run}/events`, { headers })
          if (response.status >= 400) await expectProblem(response)
          else await response.body?.cancel()
        },
      ),
      { numRuns: 200 },
    )
  })
})
