import type { RunEvent } from '@devflow/contracts'
import { describe, expect, test } from 'vitest'
import {
  answer,
  type FaultyServer,
  faultyServer,
  hang,
  type Play,
  page,
  problem,
  reset,
  stream,
} from './faulty-server.fixture.ts'
import {
  ConnectionError,
  DevflowClient,
  type LogItem,
  NotFoundError,
  type RunEnd,
  TimeoutError,
} from './index.ts'

const at = 't'
const event = (seq: number, type: string, text = ''): RunEvent => ({
  runId: 'r',
  seq,
  type,
  at,
  key: 'k',
  data: { text },
})
const place = { runId: 'r', at, phase: 'p', attempt: 1, turn: 1, session: 's', delivery: 1 }
const chunk = (seq: number, text: string) => ({ ...place, seq, kind: 'token', text })

const frame = (type: string, data: { seq: number }) =>
  `id: ${data.seq}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`
const eventFrame = (one: RunEvent) => frame(one.type, one)
const END = 'event: end\ndata: {"status":"completed","lastSeq":6}\n\n'

/** A whole run, with characters of one to four bytes, heartbeats, and a seq that was filtered out. */
const WHOLE = [
  { seq: 0, text: ': cursor=0\n\n' },
  { seq: 1, text: eventFrame(event(1, 'run.submitted', 'añ 한국 🦀')) },
  { seq: 2, text: frame('chunk', chunk(2, '한')) },
  { seq: 3, text: frame('chunk.reset', { ...place, seq: 3, fromSeq: 3 } as { seq: number }) },
  { seq: 4, text: ': cursor=4\n\n' },
  { seq: 5, text: eventFrame(event(5, 'gate.from_the_future')) },
  { seq: 6, text: eventFrame(event(6, 'run.completed')) },
]
const after = (seq: number) =>
  WHOLE.filter((one) => one.seq > seq)
    .map(({ text }) => text)
    .join('') + END

async function all(
  items: AsyncGenerator<LogItem, RunEnd, undefined>,
): Promise<{ items: LogItem[]; end: RunEnd }> {
  const read: LogItem[] = []
  while (true) {
    const { done, value } = await items.next()
    if (done) return { items: read, end: value }
    read.push(value)
  }
}

const lastIds = ({ seen }: FaultyServer) => seen.map(({ headers }) => headers['last-event-id'])

describe('following a run', () => {
  test('gives everything once, in order, wherever the connection is cut', async () => {
    const bytes = new TextEncoder().encode(WHOLE.map(({ text }) => text).join('') + END)
    expect(bytes.length).toBeGreaterThan(500)
    let cut = 0
    let first = true
    const play: Play = (response, seen) => {
      if (first) {
        first = false
        return stream(bytes.subarray(0, cut), cut % 2 ? 'break' : 'end')(response, seen)
      }
      stream(after(Number(seen.headers['last-event-id'])), 'end')(response, seen)
    }
    const server = await faultyServer([play])
    const client = server.clientWith({ retry: { minDelayMs: 0, maxDelayMs: 0 } })
    const expected = [
      event(1, 'run.submitted', 'añ 한국 🦀'),
      { ...chunk(2, '한'), type: 'chunk' },
      { ...place, seq: 3, fromSeq: 3, type: 'chunk.reset' },
      event(5, 'gate.from_the_future'),
      event(6, 'run.completed'),
    ]
    const resumed = new Set<unknown>()
    for (cut = 0; cut < bytes.length; cut++) {
      first = true
      server.seen.length = 0
      const { items, end } = await all(client.runs.follow('r', { chunks: true }))
      expect(items, `cut after ${cut} bytes`).toEqual(expected)
      expect(end).toEqual({ status: 'completed', lastSeq: 6 })
      // A cut in the last bytes of the end may still have told all.
      expect(server.seen.length).toBeLessThanOrEqual(2)
      if (server.seen.length === 2) resumed.add(lastIds(server)[1])
    }
    // After every row, and after the heartbeat that told of a filtered one.
    expect([...resumed]).toEqual(['0', '1', '2', '3', '4', '5', '6'])
  })

  test('reads a stream whatever the pieces it comes in', async () => {
    const bytes = new TextEncoder().encode(after(0))
    for (const size of [1, 2, 3, 7, 10_000]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      )
      const headers = { 'content-type': 'text/event-stream' }
      const fetch = async () => new Response(ReadableStream.from(pieces), { headers })
      const { items } = await all(new DevflowClient({ fetch }).runs.follow('r'))
      expect(items.map(({ seq }) => seq)).toEqual([1, 2, 3, 5, 6])
      expect(items[0]).toEqual(event(1, 'run.submitted', 'añ 한국 🦀'))
    }
  })

  test('asks for what it was told to', async () => {
    const server = await faultyServer([stream(END, 'end')])
    await all(server.client.runs.follow('r', { after: 4, types: ['run.completed', 'run.failed'] }))
    expect(server.seen[0]?.url).toBe('/v1/runs/r/events?type=run.completed%2Crun.failed')
    expect(server.seen[0]?.headers).toMatchObject({ accept: 'text/event-stream', 'last-event-id': '4' })
  })

  test('of a finished run with nothing left ends with what the run says', async () => {
    const server = await faultyServer([page(204, ''), answer(200, { id: 'r', status: 'failed', lastSeq: 9 })])
    const { items, end } = await all(server.client.runs.follow('r', { after: 9 }))
    expect(items).toEqual([])
    expect(end).toEqual({ status: 'failed', lastSeq: 9 })
    expect(server.seen.map(({ url }) => url)).toEqual(['/v1/runs/r/events', '/v1/runs/r'])
  })

  test('goes on over everything that passes', async () => {
    const server = await faultyServer([
      reset,
      problem(503, 'UNAVAILABLE', 'database_away'),
      stream(eventFrame(event(1, 'run.submitted')), 'break'),
      page(502, '<h1>Bad gateway</h1>'),
      stream('', 'end'),
      // What was there before is not told again, whatever a proxy replays.
      stream(eventFrame(event(1, 'run.submitted')) + eventFrame(event(2, 'run.started')), 'break'),
      stream(END, 'end'),
    ])
    const { items } = await all(server.client.runs.follow('r'))
    expect(items).toEqual([event(1, 'run.submitted'), event(2, 'run.started')])
    expect(lastIds(server)).toEqual(['0', '0', '0', '1', '1', '1', '2'])
  })

  test('takes a stream that is silent for too long to be dead', async () => {
    const server = await faultyServer([hang, stream(': cursor=0\n\n'), stream(END, 'end')])
    const client = server.clientWith({ timeoutMs: 300, idleTimeoutMs: 300 })
    expect((await all(client.runs.follow('r'))).end.status).toBe('completed')
    expect(server.retries.map(({ error }) => [error.name, error.code])).toEqual([
      ['TimeoutError', 'no_answer_in_time'],
      ['TimeoutError', 'stream_silent'],
    ])
    await server.seen[1]?.over
  })

  test('is given up when nothing comes again and again', async () => {
    const server = await faultyServer([
      stream(eventFrame(event(1, 'run.submitted')), 'end'),
      stream('', 'end'),
    ])
    const client = server.clientWith({ retry: { reconnects: 4, maxDelayMs: 10_000 } })
    const log = client.runs.follow('r')
    expect((await log.next()).value).toEqual(event(1, 'run.submitted'))
    await expect(log.next()).rejects.toThrow(ConnectionError)
    expect(server.seen).toHaveLength(5)
  })

  test('is given up when there is no answer again and again', async () => {
    const server = await faultyServer([hang])
    const client = server.clientWith({ timeoutMs: 100, retry: { reconnects: 3 } })
    await expect(client.runs.follow('r').next()).rejects.toThrow(TimeoutError)
    expect(server.retries.map(({ retry }) => retry)).toEqual([1, 2, 3])
  })

  test('is not given up while a silent run is cut off now and then', async () => {
    const beat: Play = (response, seen) => {
      stream(': cursor=0\n\n')(response, seen)
      setTimeout(() => response.end(': cursor=0\n\n'), 60)
    }
    const server = await faultyServer([...Array.from({ length: 9 }, () => beat), stream(END, 'end')])
    const client = server.clientWith({ retry: { reconnects: 2 } })
    expect((await all(client.runs.follow('r'))).end.status).toBe('completed')
  })

  test.each<[string, Play, { name: string; code: string }]>([
    [
      'a refusal',
      problem(404, 'NOT_FOUND', 'run_not_found'),
      { name: 'NotFoundError', code: 'run_not_found' },
    ],
    ['a page', page(200, '<h1>Log in</h1>'), { name: 'UnknownError', code: 'unexpected_answer' }],
    [
      'an event that is no JSON',
      stream('id: 1\nevent: x\ndata: {\n\n'),
      { name: 'UnknownError', code: 'unexpected_answer' },
    ],
  ])('ends at once at %s', async (_, play, error) => {
    const server = await faultyServer([play])
    await expect(server.client.runs.follow('r').next()).rejects.toMatchObject(error)
    expect(server.seen).toHaveLength(1)
  })

  test('may be left at any time: the connection is closed', async () => {
    const server = await faultyServer([stream(eventFrame(event(1, 'run.submitted')))])
    for await (const { seq } of server.client.runs.follow('r')) {
      expect(seq).toBe(1)
      break
    }
    await server.seen[0]?.over
  })

  test('is ended by a signal, in a silent stream and between two', async () => {
    const server = await faultyServer([stream(eventFrame(event(1, 'run.submitted')))])
    const stop = new AbortController()
    const log = server.client.runs.follow('r', { signal: stop.signal })
    await log.next()
    const next = log.next()
    stop.abort('enough')
    await expect(next).rejects.toBe('enough')
    await server.seen[0]?.over

    const broken = await faultyServer([reset])
    const again = new AbortController()
    const client = broken.clientWith({
      retry: { minDelayMs: 60_000, maxDelayMs: 60_000 },
      onRetry: () => again.abort('enough'),
    })
    await expect(client.runs.follow('r', { signal: again.signal }).next()).rejects.toBe('enough')
  })
})

describe('pokes', () => {
  const gate = { runId: 'r', id: 'ok', status: 'open' }

  test('go on after the last one, or after a cursor that came alone, and ask for what they were told to', async () => {
    const server = await faultyServer([
      stream('id: c0\n\n', 'break'),
      stream('id: c1\nevent: run\ndata: {"runId":"r","status":"running","lastSeq":3}\n\nid: c2\n\n', 'break'),
      stream(`id: c3\nevent: gate\ndata: ${JSON.stringify(gate)}\n\n`),
    ])
    const pokes: unknown[] = []
    const options = { template: 'x@1', labels: { team: 'web' } }
    for await (const poke of server.client.stream(options)) {
      pokes.push(poke)
      if (pokes.length === 2) break
    }
    expect(pokes).toEqual([
      { type: 'run', cursor: 'c1', runId: 'r', status: 'running', lastSeq: 3 },
      { type: 'gate', cursor: 'c3', gate },
    ])
    expect(lastIds(server)).toEqual([undefined, 'c0', 'c2'])
    expect(server.seen[0]?.url).toBe('/v1/stream?template=x%401&label.team=web')
  })

  test('of an API that refuses them are refused', async () => {
    const server = await faultyServer([problem(404, 'NOT_FOUND', 'not_found')])
    await expect(server.client.stream({ kind: 'gates', cursor: 'c' }).next()).rejects.toThrow(NotFoundError)
    expect(lastIds(server)).toEqual(['c'])
  })
})
