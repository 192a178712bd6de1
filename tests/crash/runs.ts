import { rebuild } from '@devflow/db'
import { expect } from 'vitest'
import { part } from './fixtures.ts'
import type { ProviderRequest, Stack } from './stack.ts'

interface RunView {
  id: string
  status: string
  lastSeq: number
  output?: unknown
}

/** Calls the API, again while it is away: these tests kill it. */
export async function call(stack: Stack, path: string, init: RequestInit = {}): Promise<Response> {
  for (let tries = 0; ; tries += 1) {
    try {
      const response = await fetch(`${stack.ready.api}${path}`, {
        ...init,
        headers: { 'content-type': 'application/json', ...init.headers },
      })
      if (response.status !== 503 || tries > 200) return response
    } catch (error) {
      if (tries > 200) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Submits with a key, so that a repeat after a kill makes no second run. */
export async function submit(
  stack: Stack,
  template: string,
  how: Parameters<typeof part>[0] = {},
): Promise<string> {
  const body = JSON.stringify({ template, input: part(how), workspace: { repo: stack.repository } })
  const key = crypto.randomUUID()
  const response = await call(stack, '/v1/runs', {
    method: 'POST',
    body,
    headers: { 'idempotency-key': key },
  })
  const run = (await response.json()) as RunView
  expect([200, 201], JSON.stringify(run)).toContain(response.status)
  return run.id
}

export async function read(stack: Stack, run: string): Promise<RunView> {
  return (await (await call(stack, `/v1/runs/${run}`)).json()) as RunView
}

export async function waitForStatus(
  stack: Stack,
  run: string,
  status: string,
  ms = 60_000,
): Promise<RunView> {
  const ends = ['completed', 'failed', 'canceled']
  await expect
    .poll(
      async () => {
        const view = await read(stack, run)
        if (ends.includes(view.status) && view.status !== status)
          throw new Error(`the run is ${view.status}: ${JSON.stringify(view)}`)
        return view.status
      },
      { timeout: ms, interval: 50 },
    )
    .toBe(status)
  return await read(stack, run)
}

export async function waitForEvents(
  stack: Stack,
  run: string,
  type: string,
  count: number,
  ms = 40_000,
): Promise<void> {
  const query = 'select count(*)::int as n from devflow.run_events where run_id = $1 and type = $2'
  await expect
    .poll(
      async () =>
        (await stack.pool.query<{ n: number }>(query, [run, type]).catch(() => undefined))?.rows[0]?.n ?? 0,
      { timeout: ms, interval: 20 },
    )
    .toBeGreaterThanOrEqual(count)
}

export async function decide(stack: Stack, run: string, decision = 'approve'): Promise<Response> {
  return await call(stack, `/v1/runs/${run}/gates/approve/decisions`, {
    method: 'POST',
    body: JSON.stringify({ decision }),
  })
}

/** Requests of a run, by the work they are for: session and turn. */
export async function requestsByTurn(stack: Stack, run: string): Promise<Map<string, ProviderRequest[]>> {
  const turns = new Map<string, ProviderRequest[]>()
  for (const request of await stack.requests(run)) {
    const turn = request.body.messages.filter(({ role }) => role === 'assistant').length + 1
    const key = `${request.session.slice(run.length + 1)}/${turn}`
    turns.set(key, [...(turns.get(key) ?? []), request])
  }
  return turns
}

/**
 * All that must hold of a run's record, whatever was killed: no gap, no duplicate, the end is the end, no recorded
 * turn was asked for again, at most `repeats` requests were made twice and each is in the ledger, projections are true.
 */
export async function expectSound(stack: Stack, run: string, { repeats = 0 } = {}): Promise<void> {
  await expectWholeLog(stack, run, { repeats })
  await expectTrueProjections(stack)
}

/** Every projection of every run is what the log says. */
export async function expectTrueProjections(stack: Stack): Promise<void> {
  expect((await rebuild(stack.ready.databaseUrl, { check: true })).differences).toEqual([])
}

/** The part of `expectSound` that is a run's own. */
export async function expectWholeLog(stack: Stack, run: string, { repeats = 0 } = {}): Promise<void> {
  const { pool } = stack
  const log = await pool.query<{ seq: string; key: string; type: string }>(
    `select seq, key, type from devflow.run_events where run_id = $1
     union all select seq, key, 'chunk' from devflow.run_chunks where run_id = $1 order by seq`,
    [run],
  )
  expect(log.rows.map(({ seq }) => Number(seq))).toEqual(log.rows.map((_, index) => index + 1))
  const events = log.rows.filter(({ type }) => type !== 'chunk')
  expect(new Set(events.map(({ key }) => key)).size).toBe(events.length)
  expect(events.filter(({ type }) => type !== 'call.reconciled').at(-1)?.type).toMatch(
    /^run\.(completed|failed|canceled)$/,
  )

  const turns = await requestsByTurn(stack, run)
  const repeated = [...turns.values()].reduce((sum, requests) => sum + requests.length - 1, 0)
  expect(repeated, 'requests made twice').toBeLessThanOrEqual(repeats)
  const recorded = await pool.query<{ key: string; at: Date }>(
    `select phase || '/' || attempt || '/' || turn as key, at from devflow.run_events where run_id = $1 and type = 'turn.completed'`,
    [run],
  )
  for (const { key, at } of recorded.rows) {
    const sent = (turns.get(key) ?? []).map((request) => request.at - at.getTime())
    const late = sent.filter((ms) => ms > 0)
    expect(
      late,
      `requests for turn ${key} after it was recorded (all of it in ms from then: ${sent})`,
    ).toEqual([])
  }
  const ledger = await pool.query<{ status: string }>(
    'select status from devflow.model_calls where run_id = $1',
    [run],
  )
  const sent = [...turns.values()].flat().length
  expect(ledger.rows.length).toBeGreaterThanOrEqual(sent)
  expect(
    ledger.rows.filter(({ status }) => status === 'reserved'),
    'calls nobody ended',
  ).toEqual([])

  await expectTextOnce(stack, run)
}

/** What streamed of a turn since its last reset is the turn's text: nothing is shown twice, and nothing is missing. */
export async function expectTextOnce({ pool }: Pick<Stack, 'pool'>, run: string): Promise<void> {
  const { rows } = await pool.query<{ turn: string; text: string; shown: string | null }>(
    `select e.key as turn, e.data->>'content' as text,
       (select string_agg(c.text, '' order by c.seq) from devflow.run_chunks c
        where c.run_id = e.run_id and c.phase = e.phase and c.attempt = e.attempt and c.turn = e.turn and c.kind = 'token'
          and c.seq > coalesce((select max(r.seq) from devflow.run_chunks r where r.run_id = e.run_id and r.phase = e.phase
            and r.attempt = e.attempt and r.turn = e.turn and r.kind = 'reset'), 0)) as shown
     from devflow.run_events e where e.run_id = $1 and e.type = 'turn.completed'
       -- What a fork has taken over was streamed by another run.
       and not e.data ? 'reused'`,
    [run],
  )
  for (const { turn, text, shown } of rows) expect({ turn, text: shown ?? '' }).toEqual({ turn, text })
}
