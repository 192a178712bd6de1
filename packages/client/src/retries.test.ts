import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import {
  answer,
  breakOff,
  type FaultyServer,
  faultyServer,
  hang,
  page,
  problem,
  QUICK,
  reset,
} from './faulty-server.fixture.ts'
import { ConflictError, ConnectionError, DevflowClient, TimeoutError } from './index.ts'
import { delayBefore, retryAfterOf } from './retry.ts'

const RUN = { id: 'r', status: 'queued' }
const done = answer(201, RUN)
const submit = ({ client }: FaultyServer) => client.runs.submit({ template: 'x@1' })
const keysOf = ({ seen }: FaultyServer) => seen.map(({ headers }) => headers['idempotency-key'])

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('what fails in passing', () => {
  const faults = {
    'a reset connection': reset,
    'an answer that breaks off': breakOff,
    '429': problem(429, 'RATE_LIMITED', 'slow_down'),
    '500': problem(500, 'INTERNAL', 'internal'),
    '502 with the page of a proxy': page(502, '<h1>Bad gateway</h1>'),
    '503': problem(503, 'UNAVAILABLE', 'database_away'),
    '504 without a body': page(504, ''),
  }

  test.each(Object.entries(faults))('is tried again, under the same key: %s', async (_, fault) => {
    const server = await faultyServer([fault, fault, fault, done])
    expect(await submit(server)).toEqual(RUN)
    expect(server.seen).toHaveLength(4)
    expect(new Set(server.seen.map(({ body }) => body))).toEqual(new Set(['{"template":"x@1"}']))
    const [key] = keysOf(server)
    expect(key).toMatch(/^[0-9a-f]{32}$/)
    expect(keysOf(server)).toEqual([key, key, key, key])
  })

  test.each(Object.entries(faults))('is told after three more tries: %s', async (_, fault) => {
    const server = await faultyServer([fault])
    const error = await submit(server).catch((error: unknown) => error)
    expect(server.seen).toHaveLength(4)
    expect(server.retries.map(({ retry }) => retry)).toEqual([1, 2, 3])
    expect(server.retries[0]?.error.constructor).toBe((error as Error).constructor)
  })

  test('is tried again when nobody listens yet', async () => {
    const port = await freePort()
    let server: FaultyServer | undefined
    const starting = new DevflowClient({
      baseUrl: `http://127.0.0.1:${port}`,
      retry: { minDelayMs: 50, maxDelayMs: 100 },
      onRetry: async ({ error }) => {
        expect(error).toBeInstanceOf(ConnectionError)
        server ??= await faultyServer([done], port)
      },
    })
    expect(await starting.runs.submit({ template: 'x@1' })).toEqual(RUN)
    expect(server?.seen).toHaveLength(1)
  })

  test('says where nobody listens', async () => {
    const port = await freePort()
    const client = new DevflowClient({ baseUrl: `http://127.0.0.1:${port}`, retry: QUICK })
    const error = await client.runs.get('r').then(undefined, (error: unknown) => error)
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({
      name: 'ConnectionError',
      kind: 'UNAVAILABLE',
      code: 'unreachable',
      status: undefined,
      message: expect.stringMatching(`http://127.0.0.1:${port} failed: connect ECONNREFUSED`),
    })
  })

  test('is tried again when there was no answer in time', async () => {
    const server = await faultyServer([hang, hang, done])
    expect(await server.clientWith({ timeoutMs: 300 }).runs.submit({ template: 'x@1' })).toEqual(RUN)
    expect(new Set(keysOf(server)).size).toBe(1)
    expect(server.retries.map(({ error }) => error.code)).toEqual(['no_answer_in_time', 'no_answer_in_time'])
  })

  test('a body that comes too slowly is a timeout too', async () => {
    const slow = await faultyServer([
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).write('{"id":')
      },
    ])
    const error = await slow.client.runs
      .get('r', { timeoutMs: 300, retries: 0 })
      .catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ kind: 'TIMEOUT', message: 'GET /v1/runs/r: no answer within 300 ms.' })
    expect(slow.seen).toHaveLength(1)
    await slow.seen[0]?.over
  })

  test('a preferred wait is added to the time a try may take', async () => {
    const server = await faultyServer([
      (response, { headers }) => {
        if (headers.prefer === 'wait=2')
          setTimeout(() => answer(200, RUN)(response, server.seen[0] as never), 100)
      },
    ])
    expect(await server.client.runs.get('r', { waitSeconds: 2, timeoutMs: 40, retries: 0 })).toEqual(RUN)
  })

  test('a key that our own lost try still holds is waited for', async () => {
    const held = problem(409, 'CONFLICT', 'idempotency_key_in_use')
    const server = await faultyServer([reset, held, done])
    expect(await submit(server)).toEqual(RUN)
    const other = await faultyServer([held, done])
    await expect(submit(other)).rejects.toThrow(ConflictError)
    expect(other.seen).toHaveLength(1)
  })
})

test.each([
  [400, 'INVALID'],
  [401, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [409, 'CONFLICT'],
  [422, 'INVALID'],
  [499, 'CANCELED'],
])('a %i is not tried again', async (status, kind) => {
  const server = await faultyServer([problem(status, kind, 'no')])
  await expect(submit(server)).rejects.toMatchObject({ status, kind, code: 'no' })
  expect(server.seen).toHaveLength(1)
})

test('reading and deleting are tried again too, without a key', async () => {
  const server = await faultyServer([reset, answer(200, { items: [] }), reset, page(204, '')])
  expect(await server.client.runs.list()).toEqual({ items: [] })
  expect(await server.client.runs.delete('r')).toBeUndefined()
  expect(server.seen.map(({ method }) => method)).toEqual(['GET', 'GET', 'DELETE', 'DELETE'])
  expect(keysOf(server)).toEqual([undefined, undefined, undefined, undefined])
})

test('each call has a key of its own, or the one it is given', async () => {
  const server = await faultyServer([done])
  await submit(server)
  await submit(server)
  await server.client.runs.cancel('r', {}, { idempotencyKey: 'order 17' })
  const [first, second, third] = keysOf(server)
  expect(first).not.toBe(second)
  expect(third).toBe('order 17')
  for (const idempotencyKey of ['', 'é', 'a\nb', 'x'.repeat(256)]) {
    const call = server.client.runs.cancel('r', {}, { idempotencyKey })
    await expect(call).rejects.toMatchObject({ kind: 'INVALID', code: 'bad_idempotency_key' })
  }
  expect(server.seen).toHaveLength(3)
})

describe('Retry-After', () => {
  /** The wait that an answer leads to; nobody waits it. */
  async function waitAfter(header: string): Promise<number | undefined> {
    const server = await faultyServer([problem(503, 'UNAVAILABLE', 'x', {}, { 'retry-after': header })])
    const stop = new AbortController()
    let waited: number | undefined
    const client = server.clientWith({
      onRetry: ({ delayMs }) => {
        waited = delayMs
        stop.abort()
      },
    })
    await expect(client.runs.get('r', { signal: stop.signal })).rejects.toThrow()
    expect(server.seen).toHaveLength(1)
    return waited
  }

  test('is honoured in seconds and as a date', async () => {
    expect(await waitAfter('30')).toBe(30_000)
    const asDate = await waitAfter(new Date(Date.now() + 30_000).toUTCString())
    expect(asDate).toBeGreaterThan(25_000)
    expect(asDate).toBeLessThanOrEqual(30_000)
  })

  test('is really waited for', async () => {
    const busy = problem(429, 'RATE_LIMITED', 'x', {}, { 'retry-after': '1' })
    const server = await faultyServer([busy, done])
    const started = performance.now()
    await submit(server)
    expect(performance.now() - started).toBeGreaterThanOrEqual(995)
  })

  test('that nobody would wait for is told at once', async () => {
    const server = await faultyServer([problem(429, 'RATE_LIMITED', 'x', {}, { 'retry-after': '3600' })])
    await expect(submit(server)).rejects.toMatchObject({ name: 'RateLimitedError', retryAfter: 3600 })
    expect(server.seen).toHaveLength(1)
  })

  test('that is none, or in the past, means what it means without', async () => {
    expect(retryAfterOf(null)).toBeUndefined()
    expect(retryAfterOf('soon')).toBeUndefined()
    expect(retryAfterOf('Sat, 01 Jan 2000 00:00:00 GMT')).toBe(0)
  })
})

test('waits double from 1 s to 10 s, with jitter', () => {
  const policy = {
    retries: 3,
    reconnects: 10,
    minDelayMs: 1_000,
    maxDelayMs: 10_000,
    maxRetryAfterMs: 60_000,
  }
  const error = new ConnectionError('UNAVAILABLE', 'unreachable', 'x')
  const spans = [1, 2, 3, 4, 5, 9].map((retry) => {
    const delays = Array.from({ length: 500 }, () => delayBefore(retry, error, policy) ?? 0)
    return [Math.min(...delays), Math.max(...delays)]
  })
  const expected = [
    [1_000, 2_000],
    [2_000, 4_000],
    [4_000, 8_000],
    [5_000, 10_000],
    [5_000, 10_000],
    [5_000, 10_000],
  ]
  for (const [index, [least = 0, most = 0]] of expected.entries()) {
    const [low = 0, high = 0] = spans[index] ?? []
    expect(low).toBeGreaterThanOrEqual(least)
    expect(high).toBeLessThanOrEqual(most)
    expect(high - low).toBeGreaterThan((most - least) / 2)
  }
})

describe('a signal', () => {
  test('ends a call under way, which rejects with its reason', async () => {
    const server = await faultyServer([hang])
    const stop = new AbortController()
    const call = server.client.runs.get('r', { signal: stop.signal })
    await expect.poll(() => server.seen.length).toBe(1)
    stop.abort('enough')
    await expect(call).rejects.toBe('enough')
    await server.seen[0]?.over
    expect(server.seen).toHaveLength(1)
  })

  test('ends the wait between two tries', async () => {
    const server = await faultyServer([reset])
    const stop = new AbortController()
    const client = server.clientWith({
      retry: { minDelayMs: 60_000, maxDelayMs: 60_000 },
      onRetry: () => stop.abort('enough'),
    })
    await expect(client.runs.get('r', { signal: stop.signal })).rejects.toBe('enough')
  })

  test('that is aborted already sends nothing', async () => {
    const server = await faultyServer([done])
    const call = server.client.runs.submit({ template: 'x@1' }, { signal: AbortSignal.abort('no') })
    await expect(call).rejects.toBe('no')
    expect(server.seen).toHaveLength(0)
  })
})
