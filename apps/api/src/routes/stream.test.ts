import { afterAll, beforeAll, expect, test } from 'vitest'
import { readFrames, type SeenFrame } from '../read-frames.fixture.ts'
import { COMPLETED, gateOpened, STARTED, type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi
beforeAll(async () => {
  api = await testApi({ DEVFLOW_HEARTBEAT_MS: '50' }, afterAll)
})

/** Follows the stream until `end` is called; what came so far is in `seen`. */
async function follow(query = '', headers: Record<string, string> = {}) {
  const response = await api.request(`/v1/stream?${query}`, { headers })
  expect(response.status).toBe(200)
  const seen: SeenFrame[] = []
  const beats: string[] = []
  const reader = response.body?.getReader()
  const body = new ReadableStream({
    async pull(controller) {
      const next = await reader?.read()
      if (!next || next.done) controller.close()
      else controller.enqueue(next.value)
    },
  })
  const reading = readFrames(new Response(body), {
    onFrame: (frame) => seen.push(frame),
    onComment: (text) => beats.push(text),
  })
  // From the first heartbeat on it hears everything.
  await expect.poll(() => beats.length).toBeGreaterThan(0)
  return {
    seen,
    last: (run: string) => seen.filter(({ data }) => (data as { runId: string }).runId === run).at(-1)?.data,
    end: async () => {
      await reader?.cancel()
      await reading
    },
  }
}

test('pokes tell the latest state of each run that matches', async () => {
  const mine = await follow('label.team=a&template=test/echo')
  const all = await follow()
  const a = await api.submit({ labels: { team: 'a' } })
  const b = await api.submit({ labels: { team: 'b' } })
  await api.append(a.id, ...STARTED)
  await api.append(a.id, COMPLETED)
  await expect.poll(() => mine.last(a.id)).toEqual({ runId: a.id, status: 'completed', lastSeq: 4 })
  await expect.poll(() => all.last(b.id)).toEqual({ runId: b.id, status: 'queued', lastSeq: 1 })
  expect(mine.last(b.id)).toBeUndefined()
  expect(mine.seen[0]).toMatchObject({ event: 'run', id: expect.any(String) })
  await Promise.all([mine.end(), all.end()])
})

test('gates are told when they open and when they are decided, not at each row of their run', async () => {
  const gates = await follow('kind=gates')
  const { id } = await api.submit({ template: 'test/gate@1', input: {} })
  await api.append(id, { type: 'run.started', key: 'run/started' }, gateOpened())
  await expect.poll(() => gates.last(id)).toMatchObject({ id: 'approve', status: 'open' })
  for (let n = 0; n < 5; n++) await api.append(id, { type: 'run.waiting', key: `w/${n}` })
  await api.call(`/v1/runs/${id}/gates/approve/decisions`, { json: { decision: 'approve' } })
  await expect.poll(() => gates.last(id)).toMatchObject({ id: 'approve', status: 'approved' })
  expect(gates.seen.map(({ data }) => (data as { status: string }).status)).toEqual(['open', 'approved'])
  await gates.end()
})

test('who comes back with a cursor is told what changed meanwhile, at least', async () => {
  const before = await follow()
  const old = await api.submit()
  await expect.poll(() => before.last(old.id)).toBeDefined()
  const cursor = before.seen.at(-1)?.id ?? ''
  await before.end()
  const ended = await api.submit()
  await api.append(ended.id, ...STARTED, COMPLETED)
  const after = await follow('', { 'last-event-id': cursor })
  await expect.poll(() => after.last(ended.id)).toEqual({ runId: ended.id, status: 'completed', lastSeq: 4 })
  await after.end()
  const query = await follow(`cursor=${cursor}`)
  await expect.poll(() => query.last(ended.id)).toBeDefined()
  await query.end()
})

test('what is missed while Postgres cannot tell is looked up when it can again', async () => {
  const stream = await follow()
  const { id } = await api.submit()
  const cut =
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'devflow-listener'"
  await api.deps.pool.query(cut)
  await api.append(id, ...STARTED, COMPLETED)
  await expect
    .poll(() => stream.last(id), { timeout: 5_000 })
    .toEqual({ runId: id, status: 'completed', lastSeq: 4 })
  await stream.end()
})

test('a client that leaves is forgotten, wherever its stream stood', async () => {
  const response = await api.request('/v1/stream')
  const reader = response.body?.getReader()
  await reader?.read()
  const streams = async () => (await (await api.request('/metrics')).text()).match(/poke_streams (\d+)/)?.[1]
  expect(await streams()).toBe('1')
  await reader?.cancel()
  await expect.poll(streams).toBe('0')
})

test.each(['cursor=x', 'kind=both', 'nope=1', 'template=%20'])('refuses %s', async (query) => {
  expect(await api.call(`/v1/stream?${query}`)).toMatchObject({
    status: 400,
    body: { errors: [{ path: query.split('=')[0] }] },
  })
})
