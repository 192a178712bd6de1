import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readFrames, type SeenFrame } from '../read-frames.fixture.ts'
import { type TestApi, testApi } from '../test-api.fixture.ts'

const published = { topic: 'orders.paid', id: 'order-17', data: { order: 17 } }

test('an event counts once by its topic and id, whatever comes later under them', async () => {
  const api = await testApi()
  const first = await api.call('/v1/events', { json: published })
  expect(first).toMatchObject({
    status: 202,
    body: { topic: 'orders.paid', id: 'order-17', duplicate: false },
  })
  const again = await api.call('/v1/events', { json: { ...published, data: { order: 'another' } } })
  expect(again.body).toEqual({ ...first.body, duplicate: true })
  const elsewhere = await api.call('/v1/events', { json: { ...published, topic: 'orders.sent' } })
  expect(elsewhere.body.duplicate).toBe(false)
  const { body } = await api.call('/v1/events')
  expect(body.items).toMatchObject([published, { topic: 'orders.sent', data: { order: 17 } }])
})

test('an Idempotency-Key stands for the id, and answers the same again', async () => {
  const api = await testApi()
  const post = (key: string) =>
    api.call('/v1/events', { json: { topic: 'a.b' }, headers: { 'idempotency-key': key } })
  const first = await post('k1')
  expect(first).toMatchObject({ status: 202, body: { id: 'k1', duplicate: false } })
  expect(await post('k1')).toMatchObject({ status: 200, body: first.body })
  expect((await post('k2')).body.seq).toBeGreaterThan(first.body.seq)
  expect((await api.call('/v1/events')).body.items).toMatchObject([{ data: null }, { data: null }])
})

describe('patterns', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await testApi({}, afterAll)
    for (const topic of ['bills', 'orders.paid', 'orders.sent', 'orders.eu.paid', 'ordersXpaid'])
      await api.call('/v1/events', { json: { topic } })
  })

  test.each([
    [['orders.*'], ['orders.paid', 'orders.sent']],
    [['orders.**'], ['orders.paid', 'orders.sent', 'orders.eu.paid']],
    [
      ['orders.*.paid', 'bills'],
      ['bills', 'orders.eu.paid'],
    ],
    [['**'], ['bills', 'orders.paid', 'orders.sent', 'orders.eu.paid', 'ordersXpaid']],
    [['orders.paid'], ['orders.paid']],
  ])('%j are %j, also page by page', async (patterns, expected) => {
    const query = patterns.map((pattern) => `topic=${encodeURIComponent(pattern)}`).join('&')
    const { body } = await api.call(`/v1/events?${query}`)
    expect(body.items.map(({ topic }: { topic: string }) => topic)).toEqual(expected)
    const seen: string[] = []
    for (let after = 0; ; ) {
      const page = (await api.call(`/v1/events?${query}&limit=1&after=${after}`)).body
      if (page.items.length === 0) break
      seen.push(page.items[0].topic)
      after = page.nextAfter
    }
    expect(seen).toEqual(expected)
  })

  test.each([
    [{ topic: 'orders..paid' }, 'topic'],
    [{ topic: 'orders.*' }, 'topic'],
    [{ topic: 'x'.repeat(201) }, 'topic'],
    [{ topic: 'a', id: '' }, 'id'],
    [{ topic: 'a', colour: 1 }, 'colour'],
    [{}, 'topic'],
  ])('the event %j is refused by name', async (json, path) => {
    expect(await api.call('/v1/events', { json })).toMatchObject({
      status: 400,
      body: { kind: 'INVALID', code: 'invalid', errors: [{ path }] },
    })
  })
})

test('a stream brings events of its topics as they come, and goes on after its last id', async () => {
  const api = await testApi()
  const publish = async (topic: string) => (await api.call('/v1/events', { json: { topic } })).body.seq
  const follow = async (after: number | undefined, count: number) => {
    const response = await api.request('/v1/events?topic=orders.*', {
      headers: {
        accept: 'text/event-stream',
        ...(after === undefined ? {} : { 'last-event-id': `${after}` }),
      },
    })
    const begun = Promise.withResolvers<void>()
    const got = Promise.withResolvers<SeenFrame[]>()
    const frames: SeenFrame[] = []
    void readFrames(response, {
      onComment: () => begun.resolve(),
      onFrame: (frame) => {
        if (frames.push(frame) === count) got.resolve(frames)
      },
    })
    return { begun: begun.promise, got: got.promise }
  }
  await publish('orders.old')
  const first = await follow(undefined, 2)
  // The first comment says from where the stream follows: what comes from now on is not missed.
  await first.begun
  const a = await publish('orders.a')
  await publish('bills')
  const b = await publish('orders.b')
  expect(await first.got).toMatchObject([
    { id: `${a}`, event: 'orders.a', data: { seq: a, topic: 'orders.a' } },
    { id: `${b}`, event: 'orders.b' },
  ])
  const later = await follow(a, 1)
  expect(await later.got).toMatchObject([{ id: `${b}`, event: 'orders.b' }])
})

test('publishers at once leave no event behind a reader that follows them', async () => {
  const api = await testApi()
  const response = await api.request('/v1/events?after=0', { headers: { accept: 'text/event-stream' } })
  const many = Array.from({ length: 120 }, (_, n) => `t.n${n}`)
  const seen: SeenFrame[] = []
  const all = new Promise<void>((resolve) => {
    void readFrames(response, {
      onFrame: (frame) => {
        if (seen.push(frame) === many.length) resolve()
      },
    })
  })
  await Promise.all(many.map((topic) => api.call('/v1/events', { json: { topic } })))
  await all
  expect(seen.map(({ event }) => event).sort()).toEqual([...many].sort())
  const ids = seen.map(({ id }) => Number(id))
  expect(ids).toEqual([...ids].sort((a, b) => a - b))
})
