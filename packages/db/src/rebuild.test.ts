import type pg from 'pg'
import { expect, test } from 'vitest'
import type { Member } from './append-types.ts'
import type { GroupWriter } from './group-writer.ts'
import { rebuild } from './rebuild.ts'
import { useLog } from './testing-log.ts'

let url: string
let pool: pg.Pool
let writer: GroupWriter
useLog((log) => {
  ;({ url, pool, writer } = log)
})

const append = async (run: string, ...lines: Record<string, unknown>[]) => {
  expect(await writer.append({ run, lines: lines as unknown as Member['lines'] })).toMatchObject({
    verdict: 'written',
  })
}

const call = (type: string, n: number, data: Record<string, unknown>) => ({
  type: `call.${type}`,
  key: `a/1/${n}/call-1/${type}`,
  phase: 'a',
  attempt: 1,
  turn: n,
  data: { call: 1, ...data },
})
const reserved = {
  persona: 'p@1',
  provider: 'openrouter',
  model: 'm',
  reservedMicroUsd: 10.5,
  reservedTokens: 100,
}
const paid = { costMicroUsd: 4.51, costSource: 'provider', inputTokens: 3, outputTokens: 4 }
const chunk = (n: number) => ({
  type: 'chunk',
  key: `c${n}`,
  phase: 'a',
  attempt: 1,
  turn: 1,
  delivery: 1,
  kind: 'token',
  text: 'x',
})

/** A run that has been through everything a projection is made of. */
async function eventfulRun(): Promise<string> {
  const run = crypto.randomUUID()
  const phases = [
    { id: 'a', kind: 'agent' },
    { id: 'g', kind: 'gate' },
    { id: 'w', kind: 'wait' },
  ]
  const submitted = {
    template: 't@1',
    definitionHash: 'h',
    input: {},
    labels: {},
    budget: { limitMicroUsd: 1000 },
    actor: 'owner',
    phases,
  }
  await pool.query('select devflow.submit($1, $2, $3, $4, $5)', [
    run,
    'default',
    'h',
    '{"format":1}',
    JSON.stringify(submitted),
  ])
  await append(
    run,
    { type: 'run.started', key: 'run/started' },
    { type: 'phase.started', key: 'a/1/started', phase: 'a', attempt: 1 },
  )
  await append(run, call('reserved', 1, reserved), chunk(1), chunk(2))
  await append(run, call('settled', 1, { status: 'settled', ...paid }), {
    type: 'artifact.accepted',
    key: 'a/1/artifact',
    phase: 'a',
    attempt: 1,
    data: { name: 'spec', version: 1, sha256: 'b'.repeat(64), mediaType: 'application/json', bytes: 2 },
  })
  await append(run, call('reserved', 2, reserved))
  await append(run, call('lost', 2, { status: 'unsettled' }))
  // Settled, unsettled and reconciled at once in one replayed batch.
  await append(run, call('reserved', 3, reserved))
  await append(run, call('settled', 3, { status: 'unsettled', ...paid, costSource: 'estimate' }))
  await append(run, call('reconciled', 3, { ...paid, costMicroUsd: 5 }))
  await append(run, {
    type: 'phase.completed',
    key: 'a/1/end',
    phase: 'a',
    attempt: 1,
    data: { output: { artifact: 'spec' } },
  })
  const gate = {
    gate: 'g',
    title: 'T',
    subject: [],
    subjectHash: 'c'.repeat(64),
    quorum: 1,
    rejectQuorum: 1,
    requireSubjectHash: false,
    onReject: 'fail',
    deadline: 'P3D',
  }
  await append(
    run,
    { type: 'phase.started', key: 'g/1/started', phase: 'g', attempt: 1 },
    { type: 'gate.opened', key: 'g/1/opened', phase: 'g', attempt: 1, data: gate },
    { type: 'run.waiting', key: 'w/1' },
  )
  await pool.query("select devflow.decide($1, 'g', 'owner', '{owner}', 'approve', null, null, 'api')", [run])
  await pool.query("select devflow.receive_signal($1, 'go', 's1', '1', 'owner')", [run])
  await pool.query("select devflow.command($1, 'pause', 'owner', null, 'api')", [run])
  return run
}

test('what live appends projected is what the whole log projects', async () => {
  for (let n = 0; n < 3; n++) await eventfulRun()
  const { runs, differences } = await rebuild(url, { check: true })
  expect(differences).toEqual([])
  expect(runs).toBeGreaterThanOrEqual(3)
})

const SPOILS: [table: string, statement: string, detail: RegExp][] = [
  [
    'runs',
    "update devflow.runs set status = 'failed' where id = $1",
    /status is "failed", the log says "paused"/,
  ],
  [
    'run_budgets',
    'update devflow.run_budgets set settled_micro_usd = 1 where run_id = $1',
    /settled_micro_usd is 1, the log says 9\.51/,
  ],
  ['phases', "delete from devflow.phases where run_id = $1 and id = 'w'", / w: is missing/],
  [
    'model_calls',
    "update devflow.model_calls set status = 'failed' where run_id = $1 and turn = 2",
    /status is "failed", the log says "unsettled"/,
  ],
  ['gates', "update devflow.gates set status = 'open' where run_id = $1", /the log says "approved"/],
  [
    'gate_decisions',
    "update devflow.gate_decisions set decision = 'reject' where run_id = $1",
    /the log says "approve"/,
  ],
  ['signals', 'delete from devflow.signals where run_id = $1', /is missing/],
  [
    'artifacts',
    "insert into devflow.artifacts select run_id, 'x', 1, tenant, sha256, media_type, bytes, phase, attempt, at from devflow.artifacts where run_id = $1",
    /is not in the log/,
  ],
  [
    'run_heads',
    "update devflow.run_heads set control = 'go' where run_id = $1",
    /control is go, the log says paused/,
  ],
  ['run_heads', 'update devflow.run_heads set seq = seq - 1 where run_id = $1', /the log ends at/],
]

test('finds every spoilt row, changes nothing under check, and mends it', async () => {
  const spoilt: { runId: string; table: string; detail: unknown }[] = []
  for (const [table, statement, detail] of SPOILS) {
    const runId = await eventfulRun()
    await pool.query(statement, [runId])
    spoilt.push({ runId, table, detail: expect.stringMatching(detail) })
  }
  const found = await rebuild(url, { check: true })
  expect(found.differences).toHaveLength(SPOILS.length)
  for (const difference of spoilt) expect(found.differences).toContainEqual(difference)
  expect((await rebuild(url, { check: false })).differences).toEqual(found.differences)
  expect((await rebuild(url, { check: true })).differences).toEqual([])
  for (const { runId } of spoilt) await append(runId, { type: 'run.started', key: 'run/again' })
})

test('a run whose projections and head are all lost comes back from its log', async () => {
  const run = await eventfulRun()
  const before = await pool.query('select * from devflow.runs where id = $1', [run])
  const asked = () =>
    pool.query('select turn, call, looks from devflow.call_lookups where run_id = $1', [run])
  expect((await asked()).rows).toEqual([{ turn: 2, call: 1, looks: 0 }])
  for (const table of [
    'call_lookups',
    'run_budgets',
    'phases',
    'model_calls',
    'gates',
    'gate_decisions',
    'signals',
    'artifacts',
    'run_heads',
  ]) {
    await pool.query(`delete from devflow.${table} where run_id = $1`, [run])
  }
  await pool.query('delete from devflow.runs where id = $1', [run])
  expect((await rebuild(url, { check: false })).differences).not.toEqual([])
  expect((await rebuild(url, { check: true })).differences).toEqual([])
  expect((await pool.query('select * from devflow.runs where id = $1', [run])).rows).toEqual(before.rows)
  expect((await asked()).rows).toEqual([{ turn: 2, call: 1, looks: 0 }])
})

test('a gap in the log is found, but not where chunks were pruned', async () => {
  const over = await eventfulRun()
  await append(over, { type: 'run.completed', key: 'round/1/end' })
  expect(
    Number((await pool.query("select devflow.prune_chunks(now() + interval '1 day') as n")).rows[0].n),
  ).toBe(2)
  expect((await rebuild(url, { check: true })).differences).toEqual([])
  const run = await eventfulRun()
  const client = await pool.connect()
  try {
    await client.query("begin; set local devflow.erasing = 'yes'")
    await client.query("delete from devflow.run_chunks where run_id = $1 and key = 'c1'", [run])
    const gap = await client.query('commit')
    expect(gap.command).toBe('COMMIT')
  } finally {
    client.release()
  }
  expect((await rebuild(url, { check: true })).differences).toEqual([
    { runId: run, table: 'run_events', detail: expect.stringMatching(/^seq has gaps/) },
  ])
  await pool.query("select devflow.command($1, 'cancel', 'owner', null, 'api')", [run])
  await append(run, { type: 'run.canceled', key: 'round/1/end' })
  await pool.query("select devflow.erase_run($1, 'owner')", [run])
})

test('works while runs go on', async () => {
  let goOn = true
  const writer = async () => {
    for (let n = 0; goOn; n++) {
      const run = await eventfulRun()
      if (n % 2) await append(run, { type: 'run.completed', key: 'round/1/end' })
    }
  }
  const writing = Promise.all([writer(), writer()])
  try {
    for (let round = 0; round < 3; round++) {
      expect((await rebuild(url, { check: true })).differences).toEqual([])
    }
  } finally {
    goOn = false
    await writing
  }
})
