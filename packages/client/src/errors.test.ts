import { ERROR_KINDS, type ErrorKind, DevflowError as Failure, STATUS_OF_KIND } from '@devflow/contracts'
import { describe, expect, test } from 'vitest'
import { answer, faultyServer, type Play, page, problem } from './faulty-server.fixture.ts'
import * as client from './index.ts'

/** What a call rejects with when it is answered so, with one try. */
async function refusal(play: Play): Promise<client.DevflowError> {
  const { client: devflow } = await faultyServer([play])
  return await devflow.runs.get('r', { retries: 0 }).then(
    () => expect.unreachable(),
    (error: client.DevflowError) => error,
  )
}

const CLASSES: Record<ErrorKind, new (...args: never[]) => client.DevflowError> = {
  UNKNOWN: client.UnknownError,
  INVALID: client.ValidationError,
  NOT_FOUND: client.NotFoundError,
  ALREADY_EXISTS: client.AlreadyExistsError,
  PERMISSION_DENIED: client.PermissionDeniedError,
  TIMEOUT: client.TimeoutError,
  CANCELED: client.CanceledError,
  UNAVAILABLE: client.UnavailableError,
  INTERNAL: client.InternalError,
  CONFLICT: client.ConflictError,
  RATE_LIMITED: client.RateLimitedError,
}

test.each(ERROR_KINDS)(
  'a problem of kind %s has a class of its own, and all that the problem says',
  async (kind) => {
    const errors = [{ path: 'input.request', message: 'is required' }]
    const status = STATUS_OF_KIND[kind]
    const error = await refusal(
      problem(status, kind, 'some_code', { errors, traceId: 't-1' }, { 'retry-after': '7' }),
    )
    expect(error.constructor).toBe(CLASSES[kind])
    expect(error).toBeInstanceOf(client.DevflowError)
    expect(error).toBeInstanceOf(Failure)
    expect(error.name).toBe(CLASSES[kind].name)
    const { code, detail, message, traceId, retryAfter } = error
    expect({
      kind: error.kind,
      status: error.status,
      errors: error.errors,
      code,
      detail,
      message,
      traceId,
      retryAfter,
    }).toEqual({
      ...{ kind, status, errors, code: 'some_code', traceId: 't-1', retryAfter: 7 },
      ...{ detail: 'It is some_code.', message: 'It is some_code.' },
    })
  },
)

describe('an answer that is no problem', () => {
  test.each([
    [400, 'INVALID'],
    [401, 'PERMISSION_DENIED'],
    [403, 'PERMISSION_DENIED'],
    [404, 'NOT_FOUND'],
    [408, 'TIMEOUT'],
    [409, 'CONFLICT'],
    [418, 'INVALID'],
    [429, 'RATE_LIMITED'],
    [500, 'INTERNAL'],
    [502, 'UNAVAILABLE'],
    [503, 'UNAVAILABLE'],
    [504, 'TIMEOUT'],
    [507, 'UNKNOWN'],
  ])('gets its kind from its status: %i', async (status, kind) => {
    expect(await refusal(page(status, 'no'))).toMatchObject({ status, kind, code: 'unexpected_answer' })
  })

  test('is quoted, without its mark-up and not at length', async () => {
    const html = `<html><style>b{}</style><body><h1>502</h1>\n<p>Bad   gateway</p>${'x'.repeat(9_999)}</body></html>`
    const { message } = await refusal(page(502, html))
    expect(message).toMatch(/^The API answered 502, and not with a problem: 502 Bad gateway x+$/)
    expect(message.length).toBeLessThan(400)
    expect((await refusal(page(502, ''))).message).toContain('(empty)')
  })

  test.each([
    ['JSON of another make', answer(404, { error: 'nope' })],
    ['JSON that is no object', answer(404, null)],
    ['JSON that breaks off', page(404, '{"code":', 'application/problem+json')],
  ])('may be %s', async (_, play) => {
    expect(await refusal(play)).toMatchObject({ name: 'NotFoundError', code: 'unexpected_answer' })
  })
})

test('a kind and fields that only a newer API knows fall to what is known', async () => {
  const newer = problem(409, 'DEADLOCKED', 'too_new', {
    errors: ['x', { path: 'a', message: 'b' }],
    shade: 'blue',
  })
  expect(await refusal(newer)).toMatchObject({
    name: 'ConflictError',
    code: 'too_new',
    errors: [{ path: 'a', message: 'b' }],
  })
})

test('a page where JSON was expected is told, and not asked for again', async () => {
  const server = await faultyServer([page(200, '<h1>Please log in to the Wi-Fi</h1>')])
  await expect(server.client.runs.list()).rejects.toMatchObject({
    name: 'UnknownError',
    code: 'unexpected_answer',
    status: 200,
    message: 'The API answered 200, and not with JSON: Please log in to the Wi-Fi',
  })
  expect(server.seen).toHaveLength(1)
})

test('a redirect is told with the address to use: it would turn a POST into a GET', async () => {
  const real = await faultyServer([answer(200, { items: [] })])
  const old = await faultyServer([
    (response) => void response.writeHead(301, { location: `${real.url}/v1/runs` }).end(),
  ])
  await expect(old.client.runs.submit({ template: 'x@1' })).rejects.toMatchObject({
    code: 'redirected',
    message: expect.stringContaining(`${real.url}/v1/runs`),
  })
  expect(old.seen).toHaveLength(1)
})

describe('options', () => {
  test.each([
    ['nowhere', 'bad_base_url'],
    ['ftp://host', 'bad_base_url'],
    ['http://user:secret@host', 'bad_base_url'],
    ['http://host?x=1', 'bad_base_url'],
  ])('refuse the base URL %s', (baseUrl, code) => {
    expect(() => new client.DevflowClient({ baseUrl })).toThrow(
      expect.objectContaining({
        name: 'ValidationError',
        code,
        errors: [expect.objectContaining({ path: 'baseUrl' })],
      }),
    )
  })

  test('refuse a token that no header can hold, without repeating it', () => {
    for (const token of ['', 'sec ret', 'secrét', 'secret\n'])
      expect(() => new client.DevflowClient({ token })).toThrow(
        /^token: expected printable ASCII without spaces\.$/,
      )
  })

  test('refuse a header that HTTP does not allow, without repeating its value', () => {
    for (const [name, value] of [
      ['x y', 'secret'],
      ['x-y', 'sec\nret'],
    ] as const)
      expect(() => new client.DevflowClient({ headers: { [name]: value } })).toThrow(
        expect.objectContaining({ code: 'bad_header', message: expect.not.stringMatching(/sec/) }),
      )
  })

  test('a time without end is one', async () => {
    const { clientWith } = await faultyServer([answer(200, { id: 'r' })])
    const devflow = clientWith({ timeoutMs: Number.POSITIVE_INFINITY, retry: { retries: 0 } })
    expect(await devflow.runs.get('r')).toEqual({ id: 'r' })
  })

  test('the base URL may have the path of a proxy; token and headers go with every request', async () => {
    const server = await faultyServer([answer(200, { items: [] })])
    const devflow = server.clientWith({
      baseUrl: `${server.url}/devflow`,
      token: 't0ken',
      headers: { 'x-team': 'web' },
    })
    await devflow.runs.list({
      status: ['failed', 'running'],
      labels: { team: 'a b' },
      createdAfter: new Date(0),
      limit: 3,
    })
    const [{ url, headers } = expect.unreachable()] = server.seen
    expect(decodeURIComponent(url)).toBe(
      '/devflow/v1/runs?status=failed,running&createdAfter=1970-01-01T00:00:00.000Z&limit=3&label.team=a+b',
    )
    expect(headers).toMatchObject({ authorization: 'Bearer t0ken', 'x-team': 'web' })
  })

  test('the fetch that is given is the one that is used', async () => {
    const asked: string[] = []
    const devflow = new client.DevflowClient({
      fetch: async (input) => {
        asked.push(String(input))
        return Response.json({ items: [] })
      },
    })
    await devflow.gates.list({ status: 'open' })
    expect(asked).toEqual(['http://127.0.0.1:8787/v1/gates?status=open'])
  })
})

test('an id cannot lead to another path', async () => {
  const server = await faultyServer([answer(200, {})])
  await server.client.runs.get('../gates?x#y')
  expect(server.seen[0]?.url).toBe('/v1/runs/..%2Fgates%3Fx%23y')
  for (const id of ['', '.', '..'])
    await expect(server.client.runs.get(id)).rejects.toMatchObject({ kind: 'INVALID', code: 'invalid' })
  expect(server.seen).toHaveLength(1)
})

test('a list is its first page when awaited, and everything when iterated', async () => {
  const pages = [
    { items: [{ id: 1 }, { id: 2 }], nextCursor: 'a b' },
    { items: [], nextCursor: 'c' },
    { items: [{ id: 3 }] },
  ]
  const server = await faultyServer([...pages, ...pages].map((body) => answer(200, body)))
  const ids: unknown[] = []
  for await (const { id } of server.client.runs.list({ limit: 2 })) ids.push(id)
  expect(ids).toEqual([1, 2, 3])
  expect(server.seen.map(({ url }) => url)).toEqual([
    '/v1/runs?limit=2',
    '/v1/runs?limit=2&cursor=a+b',
    '/v1/runs?limit=2&cursor=c',
  ])
  expect(await server.client.runs.phases('r')).toEqual(pages[0])
})

test('health is asked for once: what it says is how it is now', async () => {
  const away = problem(503, 'UNAVAILABLE', 'not_ready', {
    errors: [{ path: 'temporal', message: 'is away' }],
  })
  const server = await faultyServer([away, answer(200, { status: 'ready' })])
  await expect(server.client.health.ready()).rejects.toMatchObject({
    name: 'UnavailableError',
    errors: [{ path: 'temporal', message: 'is away' }],
  })
  expect(server.seen).toHaveLength(1)
  await server.client.health.ready()
})
