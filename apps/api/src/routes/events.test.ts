import { pruneChunks } from '@devflow/db'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readFrames } from '../read-frames.fixture.ts'
import { COMPLETED, type Line, STARTED, type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi
beforeAll(async () => {
  api = await testApi({ DEVFLOW_HEARTBEAT_MS: '100' }, afterAll)
})

const chunk = (n: number, more: Partial<Line> = {}): Line => ({
  type: 'chunk',
  key: `pause/1/1/chunk-${n}`,
  phase: 'pause',
  attempt: 1,
  turn: 1,
  delivery: 1,
  kind: 'token',
  text: `t${n}`,
  ...more,
})

/** A finished run: 2 events, 3 chunks, a reset, a large event, the end. */
async function finishedRun(): Promise<string> {
  const { id } = await api.submit()
  await api.append(id, ...STARTED, chunk(1), chunk(2), { ...chunk(3), type: 'chunk.reset' }, chunk(4))
  const body = JSON.stringify({ text: 'x'.repeat(20_000) })
  const { putBlob } = await import('@devflow/db')
  const $blob = await putBlob(api.deps.pool, id, body)
  await api.append(id, {
    type: 'turn.completed',
    key: 'pause/1/1/end',
    phase: 'pause',
    attempt: 1,
    turn: 1,
    data: { $blob },
  })
  await api.append(id, COMPLETED)
  return id
}

const stream = async (path: string, headers: Record<string, string> = {}, signal?: AbortSignal) =>
  await api.request(path, { headers: { accept: 'text/event-stream', ...headers }, signal })

test('JSON pages the log in order, with bodies stored apart read in', async () => {
  const id = await finishedRun()
  const all = (await api.call(`/v1/runs/${id}/events`)).body
  expect(all.items.map((event: { seq: number; type: string }) => [event.seq, event.type])).toEqual([
    [1, 'run.submitted'],
    [2, 'run.started'],
    [3, 'phase.started'],
    [8, 'turn.completed'],
    [9, 'run.completed'],
  ])
  expect(all).toMatchObject({ nextAfter: 9, done: true })
  expect(all.items[3].data).toEqual({ text: 'x'.repeat(20_000) })
  expect(all.items[2]).toEqual({
    runId: id,
    seq: 3,
    type: 'phase.started',
    at: expect.stringMatching(/^\d{4}-.*Z$/),
    phase: 'pause',
    attempt: 1,
    key: 'pause/1/started',
    data: {},
  })
  const seqs: number[] = []
  for (let after = 0, done = false; !done; ) {
    const page = (await api.call(`/v1/runs/${id}/events?chunks=true&limit=2&after=${after}`)).body
    seqs.push(...page.items.map((event: { seq: number }) => event.seq))
    expect(page.nextAfter).toBeGreaterThan(after)
    after = page.nextAfter
    done = page.done
  }
  expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('a filter leaves rows out and passes them; what lies ahead is an empty page', async () => {
  const id = await finishedRun()
  const events = async (query: string) => (await api.call(`/v1/runs/${id}/events?${query}`)).body
  expect(await events('type=run.started')).toMatchObject({ items: [{ seq: 2 }], nextAfter: 9, done: true })
  expect(await events('type=run.started,run.submitted&limit=1')).toMatchObject({
    items: [{ seq: 1 }],
    nextAfter: 1,
    done: false,
  })
  expect(await events('type=nothing.such')).toEqual({ items: [], nextAfter: 9, done: true })
  expect(await events('after=&limit=&type=&chunks=')).toEqual(await events('after=0&limit=500&chunks=false'))
  expect(await events('after=4')).toMatchObject({ items: [{ seq: 8 }, { seq: 9 }], done: true })
  expect(await events('after=99999')).toEqual({ items: [], nextAfter: 99999, done: true })
  const chunks = await events('chunks=true&type=chunk,chunk.reset')
  expect(chunks.items.map((item: { seq: number; type: string }) => [item.seq, item.type])).toEqual([
    [4, 'chunk'],
    [5, 'chunk'],
    [6, 'chunk.reset'],
    [7, 'chunk'],
  ])
  expect(chunks.items[0].data).toEqual({
    runId: id,
    seq: 4,
    at: expect.any(String),
    phase: 'pause',
    attempt: 1,
    turn: 1,
    session: 'pause/1',
    delivery: 1,
    kind: 'token',
    text: 't1',
  })
  expect(chunks.items[2].data).toMatchObject({ fromSeq: 6, session: 'pause/1' })
  expect(chunks.items[2].data).not.toHaveProperty('kind')
})

test('a stream resumed at every cut gives the same sequence, and ends', async () => {
  const id = await finishedRun()
  for (const chunks of [false, true]) {
    const whole = await readFrames(await stream(`/v1/runs/${id}/events?chunks=${chunks}`))
    expect(whole.map((frame) => frame.id).filter(Boolean)).toEqual(
      (chunks ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : [1, 2, 3, 8, 9]).map(String),
    )
    expect(whole.at(-1)).toEqual({ id: undefined, event: 'end', data: { status: 'completed', lastSeq: 9 } })
    const page = (await api.call(`/v1/runs/${id}/events?chunks=${chunks}`)).body
    for (const [index, item] of page.items.entries()) {
      const isChunk = item.type.startsWith('chunk')
      expect(whole[index]).toEqual({
        id: String(item.seq),
        event: item.type,
        data: isChunk ? item.data : item,
      })
    }
    for (let cut = 0; cut < 9; cut++) {
      const rest = await readFrames(
        await stream(`/v1/runs/${id}/events?chunks=${chunks}&after=3`, { 'last-event-id': String(cut) }),
      )
      expect(rest).toEqual(whole.filter((frame) => frame.id === undefined || Number(frame.id) > cut))
    }
    expect((await stream(`/v1/runs/${id}/events?chunks=${chunks}`, { 'last-event-id': '9' })).status).toBe(
      204,
    )
  }
})

test('a stream that a filter leaves nothing of ends as any other; who comes back to its end gets none', async () => {
  const id = await finishedRun()
  const path = `/v1/runs/${id}/events?type=nothing.such`
  const frames = await readFrames(await stream(path))
  expect(frames.map(({ event }) => event)).toEqual(['end'])
  expect((await stream(`${path}&after=9`)).status).toBe(204)
  expect((await stream(path, { 'last-event-id': '2' })).status).toBe(204)
})

test('a stream goes on while the run does, with heartbeats that carry the cursor, and goes on again after a retry', async () => {
  const { id } = await api.submit()
  const response = await stream(`/v1/runs/${id}/events`)
  const heard: string[] = []
  const reading = readFrames(response, { onComment: (comment) => heard.push(comment) })
  await expect.poll(() => heard.filter((comment) => comment === 'cursor=1').length).toBeGreaterThan(1)
  await api.append(id, ...STARTED)
  const failed = { type: 'run.failed', key: 'round/1/end', data: { phase: 'pause', error: {} } }
  await api.append(id, failed)
  const frames = await reading
  expect(frames.map((frame) => frame.event)).toEqual([
    'run.submitted',
    'run.started',
    'phase.started',
    'run.failed',
    'end',
  ])
  expect((await stream(`/v1/runs/${id}/events?after=4`)).status).toBe(204)
  expect(await api.call(`/v1/runs/${id}/retry`, { method: 'POST' })).toMatchObject({ status: 202 })
  const again = readFrames(await stream(`/v1/runs/${id}/events?after=4`))
  await api.append(id, { ...COMPLETED, key: 'round/2/end' })
  expect((await again).map((frame) => frame.event)).toEqual(['run.retried', 'run.completed', 'end'])
})

test('what reconciliation adds after the end is given to who comes back, and ends again', async () => {
  const id = await finishedRun()
  await api.append(id, {
    type: 'call.reconciled',
    key: 'pause/1/1/call-1/reconciled',
    phase: 'pause',
    attempt: 1,
    turn: 1,
    data: { call: 1 },
  })
  const frames = await readFrames(await stream(`/v1/runs/${id}/events`, { 'last-event-id': '9' }))
  expect(frames.map((frame) => frame.event)).toEqual(['call.reconciled', 'end'])
})

test('200 readers of one run, 20 of them slow, all get everything in order from one reader of the log', async () => {
  const { id } = await api.submit()
  const readers = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const response = await stream(`/v1/runs/${id}/events?chunks=true`)
      expect(response.status).toBe(200)
      return readFrames(response, index % 10 === 0 ? { pauseMs: 20 } : {})
    }).map((reader) => Promise.resolve({ reader })),
  )
  let n = 0
  for (let group = 0; group < 30; group++) {
    await api.append(id, ...Array.from({ length: 20 }, () => chunk(++n)))
  }
  await api.append(id, COMPLETED)
  const expected = Array.from({ length: 602 }, (_, index) => String(index + 1))
  for (const { reader } of readers) {
    const frames = await reader
    expect(frames.map((frame) => frame.id).filter(Boolean)).toEqual(expected)
  }
}, 30_000)

test('a reader that falls out of the ring reads the log by itself and misses nothing', async () => {
  const { id } = await api.submit()
  // Another follows at full speed, so that the ring moves on.
  const fast = readFrames(await stream(`/v1/runs/${id}/events?chunks=true`))
  const body = (await stream(`/v1/runs/${id}/events?chunks=true`)).body
  if (!body) throw new Error('no body')
  const slow = body.getReader()
  await slow.read()
  let n = 0
  for (let group = 0; group < 25; group++)
    await api.append(id, ...Array.from({ length: 200 }, () => chunk(++n)))
  await api.append(id, COMPLETED)
  expect((await fast).length).toBe(5_003)
  const rest = new ReadableStream({
    async pull(controller) {
      const { value, done } = await slow.read()
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
  const frames = await readFrames(new Response(rest))
  expect(frames.map((frame) => frame.id).filter(Boolean)).toEqual(
    Array.from({ length: 5_002 }, (_, i) => String(i + 1)),
  )
}, 30_000)

test('after its chunks were pruned a run reads on with gaps, from wherever a reader was', async () => {
  const { id } = await api.submit()
  await api.append(id, ...STARTED, chunk(1), chunk(2), chunk(3), COMPLETED)
  expect(await pruneChunks(api.deps.pool, new Date(Date.now() + 60_000))).toBeGreaterThanOrEqual(3)
  const left = [1, 2, 3, 7]
  const page = (await api.call(`/v1/runs/${id}/events?chunks=true`)).body
  expect(page).toMatchObject({ items: left.map((seq) => ({ seq })), nextAfter: 7, done: true })
  const seqsAfter = async (after: number) => {
    const frames = await readFrames(await stream(`/v1/runs/${id}/events?chunks=true&after=${after}`))
    expect(frames.at(-1)).toMatchObject({ event: 'end', data: { status: 'completed', lastSeq: 7 } })
    return frames.flatMap((frame) => (frame.id === undefined ? [] : [Number(frame.id)]))
  }
  for (const after of [0, 3, 4, 6]) expect(await seqsAfter(after)).toEqual(left.filter((seq) => seq > after))
  expect((await stream(`/v1/runs/${id}/events?chunks=true&after=7`)).status).toBe(204)
})

test('a reader that leaves lets go of the feed; closing the API ends streams without an end event', async () => {
  const own = await testApi()
  const { id } = await own.submit()
  const left = await own.request(`/v1/runs/${id}/events`, { headers: { accept: 'text/event-stream' } })
  const reader = left.body?.getReader()
  await reader?.read()
  const streams = async () => (await (await own.request('/metrics')).text()).match(/run_streams (\d+)/)?.[1]
  expect(await streams()).toBe('1')
  await reader?.cancel()
  expect(await streams()).toBe('0')
  const open = await own.request(`/v1/runs/${id}/events`, { headers: { accept: 'text/event-stream' } })
  const reading = readFrames(open, { onFrame: () => own.close() })
  expect((await reading).map((frame) => frame.event)).toEqual(['run.submitted'])
})

test('a HEAD request opens no stream', async () => {
  const { id } = await api.submit()
  const head = await api.request(`/v1/runs/${id}/events`, {
    method: 'HEAD',
    headers: { accept: 'text/event-stream' },
  })
  expect(head.status).toBe(200)
  expect(await (await api.request('/metrics')).text()).toMatch(/run_feeds 0/)
})

test.each([
  'after=-1',
  'after=x',
  'after=99999999999999999',
  'limit=0',
  'limit=1001',
  'chunks=yes',
  'nope=1',
])('refuses %s', async (query) => {
  const { id } = await api.submit()
  expect(await api.call(`/v1/runs/${id}/events?${query}`)).toMatchObject({
    status: 400,
    body: { errors: [{ path: query.split('=')[0] }] },
  })
})

test('a Last-Event-ID that is none is refused', async () => {
  const { id } = await api.submit()
  const headers = { accept: 'text/event-stream', 'last-event-id': 'x' }
  expect(await api.call(`/v1/runs/${id}/events`, { headers })).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'Last-Event-ID' }] },
  })
})
