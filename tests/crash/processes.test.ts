import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  call,
  decide,
  expectSound,
  read,
  requestsByTurn,
  submit,
  waitForEvents,
  waitForStatus,
} from './runs.ts'
import { Stack } from './stack.ts'

/** More than half of a session's heartbeat timeout, and less than all of it. */
const LONG_SILENCE_S = 1.6

let stack: Stack
beforeAll(async () => {
  stack = await Stack.start({ workers: 2 })
})
afterAll(() => stack?.close())

describe('a worker killed at a boundary of a turn', () => {
  const points: [string, number, string][] = [
    ['after-reserve', 3, 'before anything was sent'],
    ['after-send', 3, 'when the provider had the request'],
    ['mid-stream', 12, 'in the middle of an answer'],
    ['after-stream', 3, 'when the whole answer had come and nothing of its end was written'],
    ['after-record', 2, 'right after the turn was on record'],
    ['after-tool', 2, 'right after a tool result was on record'],
    ['before-completion', 1, 'right before the phase was complete'],
  ]
  for (const [point, count, words] of points) {
    test(`${point}: ${words}`, async () => {
      const before = stack.ready.pids.workers
      stack.armFault(point, count)
      const run = await submit(stack, 'crash:one@1', { turns: 4 })
      await waitForStatus(stack, run, 'completed')
      await expect.poll(() => stack.ready.pids.workers, { timeout: 10_000 }).not.toEqual(before)
      await expectSound(stack, run, { repeats: 1 })
      const paid = ['after-record', 'after-tool']
      const turns = await requestsByTurn(stack, run)
      if (paid.includes(point))
        expect([...turns.values()].every((requests) => requests.length === 1)).toBe(true)
    })
  }
})

describe('a part killed while a run is under way', () => {
  test('the workers, with three branches under way: turns on record are not called again', async () => {
    const run = await submit(stack, 'crash:branches@1', { turns: 4, chunks: 10, chunkDelayMs: 10 })
    await waitForEvents(stack, run, 'turn.completed', 5)
    await stack.killAndWait(...stack.ready.pids.workers)
    const end = await waitForStatus(stack, run, 'completed')
    expect(end.output).toEqual([{ text: 'done' }, { text: 'done' }, { text: 'done' }])
    await expectSound(stack, run, { repeats: 3 })
  })

  test('the workers, right after changes were asked for: the run goes back all the same, and only once', async () => {
    const run = await submit(stack, 'crash:gated@1', { turns: 2 })
    await waitForStatus(stack, run, 'waiting')
    const workers = stack.ready.pids.workers
    expect((await decide(stack, run, 'request_changes')).status).toBe(200)
    await stack.killAndWait(...workers)
    await waitForEvents(stack, run, 'gate.opened', 2)
    // And while the phase is done again.
    expect((await decide(stack, run, 'request_changes')).status).toBe(200)
    await waitForEvents(stack, run, 'turn.completed', 5)
    await stack.killAndWait(...stack.ready.pids.workers)
    await waitForEvents(stack, run, 'gate.opened', 3)
    expect((await decide(stack, run)).status).toBe(200)
    await waitForStatus(stack, run, 'completed')
    await expectSound(stack, run, { repeats: 2 })
    const { rows } = await stack.pool.query(
      "select attempt from devflow.run_events where run_id = $1 and type = 'phase.started' and phase = 'write' order by seq",
      [run],
    )
    expect(rows.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
  })

  test('the API: readers go on where they were, and a decision made meanwhile counts', async () => {
    const run = await submit(stack, 'crash:gated@1', { turns: 3 })
    await waitForEvents(stack, run, 'turn.completed', 1)
    await stack.killAndWait(stack.ready.pids.api)
    await waitForStatus(stack, run, 'waiting')
    process.kill(stack.ready.pids.api, 'SIGKILL')
    expect((await decide(stack, run)).status).toBe(200)
    await waitForStatus(stack, run, 'completed')
    await expectSound(stack, run)
  })

  test('Postgres, in the middle of a paid turn: nothing is asked for twice', async () => {
    const run = await submit(stack, 'crash:one@1', { turns: 4, chunks: 20, chunkDelayMs: 10 })
    await waitForEvents(stack, run, 'call.started', 2)
    await stack.killAndWait(stack.ready.pids.postgres)
    await waitForStatus(stack, run, 'completed')
    await expectSound(stack, run)
  })

  test('Postgres, in the middle of submissions: each is taken once, and nothing else ends', async () => {
    const { postgres, ...others } = stack.ready.pids
    const count = async () =>
      (await stack.pool.query<{ n: number }>('select count(*)::int as n from devflow.runs')).rows[0]?.n ?? 0
    const before = await count()
    const submitted = Promise.all(
      Array.from({ length: 16 }, () => submit(stack, 'crash:one@1', { turns: 1 })),
    )
    await expect.poll(count, { interval: 2 }).toBeGreaterThan(before)
    await stack.killAndWait(postgres)
    for (const run of await submitted) await waitForStatus(stack, run, 'completed')
    expect(await count()).toBe(before + 16)
    expect(stack.ready.pids).toMatchObject(others)
  })

  test('Temporal', async () => {
    const run = await submit(stack, 'crash:gated@1', { turns: 4 })
    await waitForEvents(stack, run, 'turn.completed', 1)
    await stack.killAndWait(stack.ready.pids.temporal)
    await waitForStatus(stack, run, 'waiting')
    await decide(stack, run)
    await waitForStatus(stack, run, 'completed')
    await expectSound(stack, run, { repeats: 1 })
  })

  test('all of them at once', async () => {
    const run = await submit(stack, 'crash:gated@1', { turns: 4 })
    await waitForEvents(stack, run, 'turn.completed', 2)
    await stack.killAndWait(...Object.values(stack.ready.pids).flat())
    await waitForStatus(stack, run, 'waiting')
    await decide(stack, run)
    await waitForStatus(stack, run, 'completed')
    await expectSound(stack, run, { repeats: 1 })
  })
})

describe('a frozen worker', () => {
  test('is taken over, and what it does after it wakes is refused', async () => {
    const run = await submit(stack, 'crash:one@1', { turns: 6, chunks: 10, chunkDelayMs: 15 })
    await waitForEvents(stack, run, 'turn.completed', 2)
    // Whichever worker has the session: both stop, one goes on at once, so that only the other may take over.
    const [first = 0, second = 0] = stack.ready.pids.workers
    process.kill(first, 'SIGSTOP')
    const seq = (await read(stack, run)).lastSeq
    await expect
      .poll(async () => (await read(stack, run)).lastSeq, { timeout: 20_000 })
      .toBeGreaterThan(seq + 10)
    process.kill(first, 'SIGCONT')
    process.kill(second, 'SIGSTOP')
    const end = waitForStatus(stack, run, 'completed', 40_000)
    await expect
      .poll(
        async () =>
          ['completed'].includes((await read(stack, run)).status) ||
          (await read(stack, run)).lastSeq > seq + 40,
        { timeout: 30_000 },
      )
      .toBe(true)
    process.kill(second, 'SIGCONT')
    await end
    const { rows } = await stack.pool.query<{ epoch: number }>(
      'select epoch from devflow.sessions where run_id = $1',
      [run],
    )
    const takeOvers = (rows[0]?.epoch ?? 1) - 1
    expect(takeOvers).toBeGreaterThan(0)
    await expectSound(stack, run, { repeats: takeOvers })
  }, 120_000)

  test('between a reservation and its answer sends nothing when it wakes: another has done it meanwhile', async () => {
    const run = await submit(stack, 'crash:one@1', { turns: 4 })
    await waitForEvents(stack, run, 'turn.completed', 1)
    // The same call, about to be on record by somebody else, keeps the reservation waiting.
    const blocker = await stack.pool.connect()
    await blocker.query('begin')
    await blocker.query(
      `insert into devflow.model_calls (run_id, phase, attempt, turn, call, tenant, persona, provider, model, status, reserved_micro_usd, reserved_tokens, at)
       select run_id, phase, attempt, 4, call, tenant, persona, provider, model, status, reserved_micro_usd, reserved_tokens, at
       from devflow.model_calls where run_id = $1 and turn = 1`,
      [run],
    )
    const frozen = await writerThatWaits(stack)
    process.kill(frozen, 'SIGSTOP')
    await blocker.query('rollback')
    blocker.release()
    // Another takes the session over, before this one's time is up: what it hears first on waking is that it may send.
    await stack.pool.query("select devflow.take_session($1, 'write/1')", [run])
    const since = `select clock_timestamp() - at > make_interval(secs => $2) as "isLong"
      from devflow.model_calls where run_id = $1 and turn = 4`
    await expect
      .poll(async () => (await stack.pool.query(since, [run, LONG_SILENCE_S])).rows, { timeout: 10_000 })
      .toEqual([{ isLong: true }])
    process.kill(frozen, 'SIGCONT')
    await waitForStatus(stack, run, 'completed')
    expect((await requestsByTurn(stack, run)).get('write/1/4')).toHaveLength(1)
    await expectSound(stack, run)
  })
})

/** The worker whose append waits for a lock, found by the port of its connection. */
async function writerThatWaits({ pool, ready }: Stack): Promise<number> {
  const query =
    "select client_port as port from pg_stat_activity where application_name = 'devflow-writer' and wait_event_type = 'Lock'"
  let port = 0
  await expect
    .poll(
      async () => {
        port = (await pool.query<{ port: number }>(query)).rows[0]?.port ?? 0
        return port
      },
      { timeout: 10_000 },
    )
    .toBeGreaterThan(0)
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const sockets = readFileSync('/proc/net/tcp', 'utf8').split('\n')
  const inode = sockets.map((line) => line.trim().split(/\s+/)).find(([, at]) => at?.endsWith(local))?.[9]
  const worker = ready.pids.workers.find((pid) =>
    readdirSync(`/proc/${pid}/fd`).some((fd) => linkAt(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`),
  )
  if (worker === undefined) throw new Error(`no worker has the connection from port ${port}`)
  return worker
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined // Closed meanwhile.
  }
}

describe('decisions', () => {
  test('with every worker frozen: accepted at once, effective later', async () => {
    const run = await submit(stack, 'crash:gated@1', { turns: 1 })
    await waitForStatus(stack, run, 'waiting')
    for (const pid of stack.ready.pids.workers) process.kill(pid, 'SIGSTOP')
    const started = Date.now()
    const response = await decide(stack, run)
    expect(response.status).toBe(200)
    expect(Date.now() - started).toBeLessThan(2_000)
    expect(await response.json()).toMatchObject({ status: 'approved' })
    for (const pid of stack.ready.pids.workers) process.kill(pid, 'SIGCONT')
    await waitForStatus(stack, run, 'completed')
    await expectSound(stack, run)
  })

  test('with Temporal away: accepted at once, effective later, repeated after the end with the same answer', async () => {
    const run = await submit(stack, 'crash:gated@1', { turns: 1 })
    await waitForStatus(stack, run, 'waiting')
    process.kill(stack.ready.pids.temporal, 'SIGSTOP')
    expect((await decide(stack, run)).status).toBe(200)
    expect((await decide(stack, run)).status).toBe(200)
    expect((await decide(stack, run, 'reject')).status).toBe(409)
    process.kill(stack.ready.pids.temporal, 'SIGCONT')
    await waitForStatus(stack, run, 'completed')
    expect((await decide(stack, run)).status).toBe(200)
    await expectSound(stack, run, { repeats: 1 })
  })
})

describe('the outbox', () => {
  test('100 submissions while Temporal is away all run later', async () => {
    process.kill(stack.ready.pids.temporal, 'SIGSTOP')
    const runs = await Promise.all(
      Array.from({ length: 100 }, () =>
        submit(stack, 'crash:one@1', { turns: 0, chunks: 1, chunkDelayMs: 0 }),
      ),
    )
    expect(new Set(runs).size).toBe(100)
    process.kill(stack.ready.pids.temporal, 'SIGCONT')
    const query = "select count(*)::int as n from devflow.runs where id = any($1) and status = 'completed'"
    await expect
      .poll(async () => (await stack.pool.query<{ n: number }>(query, [runs])).rows[0]?.n, {
        timeout: 60_000,
        interval: 200,
      })
      .toBe(100)
    await expect
      .poll(async () => (await stack.pool.query('select 1 from devflow.outbox')).rowCount, {
        timeout: 10_000,
      })
      .toBe(0)
  }, 90_000)
})

describe('cancel', () => {
  test('is accepted with Temporal away, and reaches the provider within two seconds', async () => {
    const run = await submit(stack, 'crash:one@1', { turns: 3, chunks: 200, chunkDelayMs: 20 })
    await waitForEvents(stack, run, 'call.started', 1)
    process.kill(stack.ready.pids.temporal, 'SIGSTOP')
    const asked = Date.now()
    expect((await call(stack, `/v1/runs/${run}/cancel`, { method: 'POST', body: '{}' })).status).toBe(202)
    await expect
      .poll(
        async () =>
          (await stack.requests()).find((request) => request.session.startsWith(run))?.abortedAt ?? 0,
        { timeout: 5_000, interval: 50 },
      )
      .toBeGreaterThan(0)
    const aborted =
      (await stack.requests()).find((request) => request.session.startsWith(run))?.abortedAt ?? 0
    process.kill(stack.ready.pids.temporal, 'SIGCONT')
    expect(aborted - asked).toBeLessThan(2_000)
    await waitForStatus(stack, run, 'canceled')
    await expectSound(stack, run)
  })
})

describe('a cancel whose session is frozen', () => {
  test('ends the run; the call stays on the books until the provider says what it cost', async () => {
    const run = await submit(stack, 'crash:one@1', { turns: 3, chunks: 100, chunkDelayMs: 30 })
    await waitForEvents(stack, run, 'call.started', 1)
    const { workers } = stack.ready.pids
    for (const pid of workers) process.kill(pid, 'SIGSTOP')
    expect((await call(stack, `/v1/runs/${run}/cancel`, { method: 'POST', body: '{}' })).status).toBe(202)
    await stack.killAndWait(...workers)
    await waitForStatus(stack, run, 'canceled')
    await expectSound(stack, run)
    const { rows } = await stack.pool.query(
      'select status from devflow.model_calls where run_id = $1 and status = $2',
      [run, 'reserved'],
    )
    expect(rows).toEqual([])
  })
})
