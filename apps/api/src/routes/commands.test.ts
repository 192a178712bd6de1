import { CHANNELS } from '@devflow/contracts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMPLETED, FAILED, STARTED, type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi
beforeAll(async () => {
  api = await testApi({}, afterAll)
})

const command = (id: string, verb: string, json?: unknown, headers: Record<string, string> = {}) =>
  api.call(`/v1/runs/${id}/${verb}`, { method: 'POST', json, headers })
const types = async (id: string) =>
  (await api.call(`/v1/runs/${id}/events`)).body.items.map((event: { type: string }) => event.type)

test('a queued run is canceled in Postgres alone', async () => {
  const { id } = await api.submit()
  const answer = await command(id, 'cancel', { reason: 'not needed' })
  expect(answer).toMatchObject({
    status: 202,
    body: { id, status: 'canceled', phases: [{ status: 'canceled' }] },
  })
  expect(await types(id)).toEqual(['run.submitted', 'run.canceling', 'run.canceled'])
  expect(await command(id, 'cancel')).toMatchObject({ status: 202, body: { status: 'canceled' } })
  expect(await types(id)).toHaveLength(3)
  expect(await command(id, 'pause')).toMatchObject({
    status: 409,
    body: { kind: 'CONFLICT', code: 'run_over' },
  })
  expect(await api.call(`/v1/runs/${id}/report`)).toMatchObject({ status: 409, body: { code: 'no_report' } })
})

test('a pause shows at once, repeating is harmless, resume goes back', async () => {
  const { id } = await api.submit()
  await api.append(id, ...STARTED)
  expect(await command(id, 'pause')).toMatchObject({ status: 202, body: { status: 'paused' } })
  expect(await command(id, 'pause')).toMatchObject({ status: 202, body: { status: 'paused' } })
  expect(await command(id, 'resume')).toMatchObject({ status: 202, body: { status: 'running' } })
  expect(await command(id, 'resume')).toMatchObject({ status: 202, body: { status: 'running' } })
  expect((await types(id)).slice(3)).toEqual(['run.pausing', 'run.resumed'])
})

test('a finished run takes no command', async () => {
  const { id } = await api.submit()
  await api.append(id, ...STARTED, COMPLETED)
  for (const verb of ['cancel', 'pause', 'resume']) {
    expect(await command(id, verb)).toMatchObject({ status: 409, body: { code: 'run_over' } })
  }
  expect(await command(id, 'retry')).toMatchObject({ status: 409, body: { code: 'run_not_failed' } })
})

test('a failed run is retried at its failed phase as a new attempt', async () => {
  const { id } = await api.submit()
  await api.append(id, ...STARTED, {
    type: 'phase.failed',
    key: 'pause/1/end',
    phase: 'pause',
    attempt: 1,
    data: { error: { kind: 'INTERNAL', code: 'x', message: 'y' } },
  })
  await api.append(id, FAILED)
  const answer = await command(id, 'retry')
  expect(answer).toMatchObject({
    status: 202,
    body: { status: 'queued', attempt: 2, phases: [{ attempt: 2, status: 'pending' }] },
  })
  expect(answer.body).not.toHaveProperty('error')
  expect(await command(id, 'retry')).toMatchObject({ status: 409, body: { code: 'run_not_failed' } })
})

test('sessions hear of pause and cancel directly, and the outbox is poked', async () => {
  const heard: string[] = []
  const forget = [CHANNELS.control, CHANNELS.outbox].map((channel) =>
    api.deps.listener.subscribe(channel, { notified: (payload) => heard.push(`${channel} ${payload}`) }),
  )
  const { id } = await api.submit()
  await api.append(id, ...STARTED)
  // LISTEN takes a moment to begin.
  await expect
    .poll(async () => {
      api.deps.poker.poke(CHANNELS.control, 'test')
      return heard
    })
    .toContain(`${CHANNELS.control} test`)
  await command(id, 'cancel')
  await expect.poll(() => heard).toContain(`${CHANNELS.control} ${id}`)
  await expect.poll(() => heard).toContain(`${CHANNELS.outbox} `)
  for (const end of forget) end()
})

describe('signals', () => {
  test('one that comes early is kept; the same id again changes nothing', async () => {
    const { id } = await api.submit()
    const send = (json?: unknown, headers: Record<string, string> = {}) =>
      api.call(`/v1/runs/${id}/signals/go`, { method: 'POST', json, headers })
    expect(await send({ id: 's1', data: { a: 1 } })).toMatchObject({
      status: 202,
      body: { id: 's1', duplicate: false },
    })
    expect(await send({ id: 's1', data: { a: 2 } })).toMatchObject({ status: 202, body: { duplicate: true } })
    expect(await send()).toMatchObject({ status: 202 })
    expect(await send({ data: 1 }, { 'idempotency-key': 'k-signal' })).toMatchObject({ status: 202 })
    expect(await send({ data: 1 }, { 'idempotency-key': 'k-signal' })).toMatchObject({ status: 200 })
    expect((await types(id)).filter((type: string) => type === 'signal.received')).toHaveLength(3)
    await api.append(id, COMPLETED)
    expect(await send({ id: 's2' })).toMatchObject({ status: 409, body: { code: 'run_over' } })
    expect(await send({ id: 's1', data: { a: 1 } })).toMatchObject({ status: 202 })
  })
})

describe('Idempotency-Key', () => {
  const body = { template: 'test/echo@1', input: { request: 'x' }, labels: { key: 'once' } }
  const submit = (key: string, json: unknown = body) =>
    api.call('/v1/runs', { json, headers: { 'idempotency-key': key } })

  test('the same request again gets the first answer with 200, in another order of its keys too', async () => {
    const first = await submit('k1')
    expect(first.status).toBe(201)
    await api.append(first.body.id, ...STARTED)
    const reordered = Object.fromEntries(Object.entries(body).reverse())
    const again = await submit('k1', reordered)
    expect(again).toMatchObject({ status: 200, body: first.body })
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(again.headers.get('location')).toBe(first.headers.get('location'))
    expect(first.headers.get('idempotency-replayed')).toBeNull()
  })

  test('another body, method or path under the key is 422', async () => {
    const { body: run } = await submit('k2')
    const reused = { status: 422, body: { kind: 'INVALID', code: 'idempotency_key_reused' } }
    expect(await submit('k2', { ...body, labels: {} })).toMatchObject(reused)
    expect(await command(run.id, 'pause', undefined, { 'idempotency-key': 'k2' })).toMatchObject(reused)
  })

  test('a refused request binds nothing', async () => {
    expect(await submit('k3', { ...body, input: {} })).toMatchObject({ status: 400 })
    expect(await submit('k3', { ...body, parent: crypto.randomUUID() })).toMatchObject({ status: 404 })
    expect(await submit('k3')).toMatchObject({ status: 201 })
  })

  test('of many at once exactly one makes a run; the others see it or are told that it is under way', async () => {
    for (let round = 0; round < 5; round++) {
      const labels = { race: String(round) }
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => submit(`race-${round}`, { ...body, labels })),
      )
      const statuses = answers.map((answer) => answer.status)
      expect(statuses.filter((status) => status === 201)).toHaveLength(1)
      for (const answer of answers) {
        if (answer.status === 409)
          expect(answer.body).toMatchObject({ kind: 'CONFLICT', code: 'idempotency_key_in_use' })
        else expect([200, 201]).toContain(answer.status)
      }
      expect((await api.call(`/v1/runs?label.race=${round}`)).body.items).toHaveLength(1)
    }
  })

  test('works for commands and decisions', async () => {
    const { id } = await api.submit()
    const first = await command(id, 'pause', { reason: 'r' }, { 'idempotency-key': 'k4' })
    expect(first.status).toBe(202)
    await command(id, 'resume')
    expect(await command(id, 'pause', { reason: 'r' }, { 'idempotency-key': 'k4' })).toMatchObject({
      status: 200,
      body: first.body,
    })
    expect((await api.call(`/v1/runs/${id}`)).body.status).toBe('queued')
  })

  test('works for schedules, webhooks and price lists', async () => {
    const schedule = { spec: { cron: ['0 0 1 1 *'] }, submit: { template: 'test/echo@1', input: {} } }
    const webhook = { url: 'https://example.com/hook', events: ['run.*'] }
    await api.call('/v1/schedules/s', { method: 'PUT', json: schedule })
    await api.call('/v1/webhooks/w', { method: 'PUT', json: webhook })
    const range = { from: '2020-06-01T00:00:00Z', to: '2022-06-01T00:00:00Z' }
    const posts: [path: string, json: object | undefined][] = [
      ['/v1/schedules/s/pause', { reason: 'r' }],
      ['/v1/schedules/s/resume', {}],
      ['/v1/schedules/s/backfill', range],
      ['/v1/webhooks/w/replay', {}],
      ['/v1/webhooks/w/secret', undefined],
      ['/v1/pricing/refresh', {}],
    ]
    for (const [path, json] of posts) {
      const headers = { 'idempotency-key': path, prefer: 'wait=0' }
      const send = (body = json) => api.call(path, { method: 'POST', json: body, headers })
      const first = await send()
      expect([200, 202], path).toContain(first.status)
      const again = await send()
      expect(again, path).toMatchObject({ status: 200, body: first.body })
      expect(again.headers.get('idempotency-replayed'), path).toBe('true')
      await api.call('/v1/schedules/s/resume', { json: {}, headers: { 'idempotency-key': `${path} on` } })
    }
    const other = { headers: { 'idempotency-key': '/v1/schedules/s/backfill' } }
    expect(
      await api.call('/v1/schedules/s/backfill', {
        json: { ...range, to: '2023-06-01T00:00:00Z' },
        ...other,
      }),
    ).toMatchObject({ status: 422 })
  })

  test.each(['', 'é', 'a'.repeat(256)])('refuses the key %j', async (key) => {
    expect(await submit(Buffer.from(key).toString('latin1'))).toMatchObject({
      status: 400,
      body: { code: 'bad_idempotency_key' },
    })
  })
})
