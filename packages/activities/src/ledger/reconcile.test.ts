import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type EventLine, rebuild } from '@devflow/db'
import { newRun, type TestDatabase, testDatabase } from '@devflow/db/testing'
import { type FakeOpenRouter, type FakeReply, startFakeOpenRouter } from '@devflow/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { reconcileCalls } from './reconcile.ts'
import { sweepingDeps } from './sweeping.fixture.ts'

const MODEL = { provider: 'openrouter', name: 'deepseek/deepseek-chat' } as const
const RESERVED = { microUsd: 77.7, tokens: 500 }

let database: TestDatabase
let fake: FakeOpenRouter
let deps: ReturnType<typeof sweepingDeps>

beforeAll(async () => {
  database = await testDatabase()
  fake = await startFakeOpenRouter()
  deps = sweepingDeps(database.url, fake.baseURL)
})
afterAll(async () => {
  await deps.close()
  await fake.close()
  await database.close()
})

/** A run whose call ended unknown to us, though the provider has billed it. The run is over, its ledger is not. */
async function lostCall(reply: FakeReply): Promise<{ run: string; id: string; billed: number }> {
  fake.script(() => reply)
  const events = deps.adapters.openrouter?.stream(
    {
      model: MODEL,
      messages: [{ role: 'user', content: 'Hello' }],
      tools: [],
      maxOutputTokens: 100,
      sessionId: 's',
      phase: 'p',
      attempt: 1,
      turn: 1,
    },
    new AbortController().signal,
  )
  for await (const _ of events ?? []);
  const request = fake.requests.at(-1)
  if (!request) throw new Error('nothing was asked')
  const run = await newRun(deps.pool, { budget: { limitMicroUsd: 1_000, limitTokens: 10_000 } })
  const line = (type: EventLine['type'], key: string, data: object): EventLine => ({
    type,
    key: `p/1/1/${key}`,
    phase: 'p',
    attempt: 1,
    turn: 1,
    data: { call: 1, ...data },
  })
  const reserved = {
    persona: 'x@1',
    provider: MODEL.provider,
    model: MODEL.name,
    reservedMicroUsd: RESERVED.microUsd,
    reservedTokens: RESERVED.tokens,
  }
  await deps.writer.append({
    run,
    reserve: RESERVED,
    lines: [line('call.reserved', 'call-1/reserved', reserved)],
  })
  await deps.writer.append({
    run,
    lines: [
      line('call.started', 'call-1/started', { generationId: request.id }),
      line('call.lost', 'call-1/end', { status: 'unsettled', generationId: request.id }),
      {
        type: 'run.failed',
        key: 'round/1/end',
        data: { error: { kind: 'INTERNAL', code: 'x', message: 'x' } },
      },
    ],
  })
  return { run, id: request.id, billed: request.billedMicroUsd }
}

async function standing(run: string) {
  const { rows } = await deps.pool.query<{ call: object; budget: object; said: string[] }>(
    `select (select jsonb_build_object('status', status, 'cost', cost_micro_usd, 'source', cost_source) from devflow.model_calls where run_id = $1) as call,
       (select jsonb_build_object('reserved', reserved_micro_usd, 'settled', settled_micro_usd, 'tokens', settled_tokens) from devflow.run_budgets where run_id = $1) as budget,
       array(select data->>'costSource' from devflow.run_events where run_id = $1 and type = 'call.reconciled' order by seq) as said`,
    [run],
  )
  const [row] = rows
  if (!row) throw new Error(`there is no run ${run}`)
  return row
}

const waiting = async () =>
  Number((await deps.pool.query('select count(*) as n from devflow.call_lookups')).rows[0].n)

/** Sweeps until the run stands so. */
async function sweptUntil(run: string, expected: object, times: Partial<typeof deps.times> = {}) {
  const mine = { ...deps, times: { ...deps.times, ...times } }
  await expect
    .poll(
      async () => {
        await reconcileCalls(mine)
        return await standing(run)
      },
      { timeout: 10_000, interval: 5 },
    )
    .toMatchObject(expected)
}

test('a provider that knows only later is asked again, and what it says is charged exactly, after the run is over too', async () => {
  const { run, id, billed } = await lostCall({ cost: '4.5100003e-06', generationMisses: 2 })
  expect(billed).toBe(4.51)
  await sweptUntil(run, { call: { status: 'settled', cost: 4.51, source: 'provider' } })
  expect(await standing(run)).toMatchObject({ budget: { reserved: 0, settled: 4.51 }, said: ['provider'] })
  expect(fake.looks.filter((look) => look === id)).toHaveLength(3)
  expect(await waiting()).toBe(0)
})

test('a call nobody tells of is charged its reservation, money and tokens, until the provider corrects it', async () => {
  const { run, billed } = await lostCall({ cost: '3e-07', generationMisses: 6 })
  await sweptUntil(run, { call: { source: 'estimate' } }, { callPatienceMs: 30 })
  expect(await standing(run)).toEqual({
    call: { status: 'settled', cost: RESERVED.microUsd, source: 'estimate' },
    budget: { reserved: 0, settled: RESERVED.microUsd, tokens: RESERVED.tokens },
    said: ['estimate'],
  })
  await sweptUntil(run, { call: { source: 'provider' } }, { callPatienceMs: 30 })
  expect(billed).toBe(0.3)
  expect(await standing(run)).toMatchObject({
    call: { cost: 0.3 },
    budget: { reserved: 0, settled: 0.3 },
    said: ['estimate', 'provider'],
  })
  expect(await waiting()).toBe(0)
  expect((await rebuild(database.url, { check: true })).differences).toEqual([])
})

test('an estimate that comes late undoes nothing the provider said', async () => {
  const { run } = await lostCall({ cost: '1e-06' })
  await sweptUntil(run, { call: { cost: 1, source: 'provider' } })
  const late = { call: 1, costMicroUsd: RESERVED.microUsd, costSource: 'estimate' }
  await deps.writer.append({
    run,
    lines: [
      { type: 'call.reconciled', key: 'p/1/1/call-1/estimated', phase: 'p', attempt: 1, turn: 1, data: late },
    ],
  })
  expect(await standing(run)).toMatchObject({ call: { cost: 1, source: 'provider' }, budget: { settled: 1 } })
  expect((await rebuild(database.url, { check: true })).differences).toEqual([])
})

test('two processes that sweep at once settle each call once, and ask once', async () => {
  const lost: Awaited<ReturnType<typeof lostCall>>[] = []
  for (let n = 1; n <= 30; n += 1) lost.push(await lostCall({ cost: `${n}e-07` }))
  const sweepers = await Promise.all([sweeper(), sweeper()])
  try {
    for (const { child } of sweepers) child.send('sweep')
    await expect
      .poll(
        async () =>
          (await Promise.all(lost.map(({ run }) => standing(run)))).every(({ said }) => said.length > 0),
        {
          timeout: 20_000,
        },
      )
      .toBe(true)
  } finally {
    await Promise.all(sweepers.map(({ end }) => end()))
  }
  for (const { run, id, billed } of lost) {
    expect(await standing(run)).toMatchObject({
      call: { cost: billed, source: 'provider' },
      budget: { reserved: 0, settled: billed },
      said: ['provider'],
    })
    expect(fake.looks.filter((look) => look === id)).toHaveLength(1)
  }
})

async function sweeper(): Promise<{ child: ChildProcess; end: () => Promise<void> }> {
  const child = fork(fileURLToPath(new URL('./sweeping-process.fixture.ts', import.meta.url)))
  child.send({ databaseUrl: database.url, baseURL: fake.baseURL })
  await once(child, 'message')
  return {
    child,
    async end() {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
