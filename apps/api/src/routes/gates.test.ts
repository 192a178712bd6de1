import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMPLETED, gateOpened, type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi
beforeAll(async () => {
  api = await testApi({}, afterAll)
})

/** A run that waits at its gate. */
async function atGate(more: Record<string, unknown> = {}): Promise<string> {
  const { id } = await api.submit({ template: 'test/gate@1', input: {} })
  await api.append(
    id,
    { type: 'run.started', key: 'run/started' },
    { type: 'phase.started', key: 'approve/1/started', phase: 'approve', attempt: 1 },
    gateOpened(more),
    { type: 'run.waiting', key: 'run/waiting/1' },
  )
  return id
}

const decide = (run: string, json: unknown, headers: Record<string, string> = {}, gate = 'approve') =>
  api.call(`/v1/runs/${run}/gates/${gate}/decisions`, { json, headers })
const HASH = 'a'.repeat(64)

test('a gate is listed with its run and among all, and says what it asks about', async () => {
  const id = await atGate({ deadline: 'P3D', onDeadline: { escalateTo: ['owner'], then: 'reject' } })
  const { items } = (await api.call(`/v1/runs/${id}/gates`)).body
  expect(items).toEqual([
    {
      runId: id,
      id: 'approve',
      phase: 'approve',
      status: 'open',
      title: 'Good?',
      subject: [],
      subjectHash: HASH,
      quorum: 1,
      decisions: [],
      deadline: expect.stringMatching(/Z$/),
      escalation: { escalateTo: ['owner'], then: 'reject' },
      openedAt: expect.stringMatching(/Z$/),
    },
  ])
  const open = (await api.call('/v1/gates?status=open')).body.items
  expect(open.map((gate: { runId: string }) => gate.runId)).toContain(id)
  expect((await api.call(`/v1/runs/${id}`)).body).toMatchObject({
    status: 'waiting',
    waitingFor: [{ kind: 'gate', id: 'approve', deadline: items[0].deadline }],
  })
})

test('the list of all gates is paged without a gap', async () => {
  for (let i = 0; i < 3; i++) await atGate()
  const all = (await api.call('/v1/gates?status=open&limit=200')).body.items
  const paged: unknown[] = []
  for (let query = ''; ; ) {
    const page = (await api.call(`/v1/gates?status=open&limit=2${query}`)).body
    paged.push(...page.items)
    if (!page.nextCursor) break
    query = `&cursor=${page.nextCursor}`
  }
  expect(paged).toEqual(all)
})

test('an approval is committed with what was looked at, closes the gate and wakes the run', async () => {
  const id = await atGate()
  await api.deps.pool.query('delete from devflow.outbox where run_id = $1', [id])
  const { status, body } = await decide(id, { decision: 'approve', comment: 'fine' })
  expect({ status, body }).toMatchObject({
    status: 200,
    body: {
      status: 'approved',
      closedAt: expect.stringMatching(/Z$/),
      decisions: [{ actor: 'owner', decision: 'approve', comment: 'fine', at: expect.stringMatching(/Z$/) }],
    },
  })
  const { rows } = await api.deps.pool.query(
    'select data from devflow.run_events where run_id = $1 and type = $2',
    [id, 'gate.decided'],
  )
  expect(rows[0].data).toMatchObject({ subjectHash: HASH, implied: true, via: 'api' })
  expect((await api.deps.pool.query('select 1 from devflow.outbox where run_id = $1', [id])).rowCount).toBe(1)
  // A quorum of one is met: nothing waits any more.
  expect((await api.call(`/v1/runs/${id}`)).body).toMatchObject({ status: 'running' })
})

describe('checks come in the order of the contract', () => {
  test('an unknown gate is 404, whatever else is wrong', async () => {
    const id = await atGate()
    expect(
      await decide(id, { decision: 'request_changes', subjectHash: 'b'.repeat(64) }, {}, 'nope'),
    ).toMatchObject({
      status: 404,
      body: { kind: 'NOT_FOUND', code: 'gate_not_found' },
    })
    expect(await decide(crypto.randomUUID(), { decision: 'approve' })).toMatchObject({
      status: 404,
      body: { code: 'run_not_found' },
    })
  })

  test("a run that is somebody else's, was deleted or never was is 404 before its gate is, with a key and without", async () => {
    const pool = api.deps.pool
    const [elsewhere, deleted] = [await atGate(), await atGate()]
    await pool.query("update devflow.run_heads set tenant = 'other' where run_id = $1", [elsewhere])
    expect(await decide(deleted, { decision: 'approve' })).toMatchObject({ status: 200 })
    await api.append(deleted, COMPLETED)
    expect(await api.call(`/v1/runs/${deleted}`, { method: 'DELETE' })).toMatchObject({ status: 204 })
    const keyed: Record<string, string> = { 'idempotency-key': 'lost' }
    for (const headers of [{}, keyed]) {
      for (const run of [elsewhere, crypto.randomUUID(), 'nonsense'])
        expect(await decide(run, { decision: 'approve' }, headers)).toMatchObject({
          status: 404,
          body: { code: 'run_not_found' },
        })
      expect(await decide(deleted, { decision: 'approve' }, headers)).toMatchObject({
        status: 404,
        body: { code: 'run_deleted' },
      })
    }
    const { rows } = await pool.query('select 1 from devflow.gate_decisions where run_id = $1', [elsewhere])
    expect(rows).toEqual([])
  })

  test('the same again is 200 and unchanged, also after closing, with a stale hash, and when no longer an approver', async () => {
    const id = await atGate()
    const first = await decide(id, { decision: 'approve', comment: 'first' })
    await api.deps.pool.query("update devflow.gates set approvers = '{role:none}' where run_id = $1", [id])
    const again = await decide(id, { decision: 'approve', comment: 'second', subjectHash: 'b'.repeat(64) })
    expect(again).toMatchObject({ status: 200, body: first.body })
    await api.append(id, COMPLETED)
    expect(await decide(id, { decision: 'approve' })).toMatchObject({ status: 200, body: first.body })
  })

  test('who is no approver gets 403, also at a closed gate', async () => {
    const id = await atGate({ approvers: ['role:lead'] })
    expect(await decide(id, { decision: 'approve', subjectHash: 'b'.repeat(64) })).toMatchObject({
      status: 403,
      body: { kind: 'PERMISSION_DENIED', code: 'not_approver' },
    })
    await api.deps.pool.query("update devflow.gates set status = 'approved' where run_id = $1", [id])
    expect(await decide(id, { decision: 'approve' })).toMatchObject({ status: 403 })
  })

  test('a closed gate, another decision by the same principal, a stale subject are 409', async () => {
    const closed = await atGate({ deadline: 'PT0S' })
    expect(await decide(closed, { decision: 'approve', subjectHash: 'b'.repeat(64) })).toMatchObject({
      status: 409,
      body: { kind: 'CONFLICT', code: 'gate_closed' },
    })
    const changed = await atGate({ quorum: 2, rejectQuorum: 2 })
    expect(await decide(changed, { decision: 'approve' })).toMatchObject({
      status: 200,
      body: { status: 'open' },
    })
    expect(await decide(changed, { decision: 'reject', subjectHash: 'b'.repeat(64) })).toMatchObject({
      status: 409,
      body: { code: 'decided_otherwise' },
    })
    const stale = await atGate()
    expect(await decide(stale, { decision: 'approve', subjectHash: 'b'.repeat(64) })).toMatchObject({
      status: 409,
      body: { code: 'subject_changed' },
    })
    expect(await decide(stale, { decision: 'approve', subjectHash: 'stale' })).toMatchObject({
      status: 409,
      body: { code: 'subject_changed' },
    })
    expect(await decide(stale, { decision: 'approve', subjectHash: HASH })).toMatchObject({ status: 200 })
  })

  test('a gate may require the hash; this one takes neither changes nor money', async () => {
    const id = await atGate({ requireSubjectHash: true })
    expect(await decide(id, { decision: 'approve' })).toMatchObject({
      status: 400,
      body: { code: 'hash_required' },
    })
    expect(await decide(id, { decision: 'request_changes', subjectHash: HASH })).toMatchObject({
      status: 400,
      body: { code: 'changes_not_allowed' },
    })
    expect(await decide(id, { decision: 'approve', subjectHash: HASH, raiseToMicroUsd: 5 })).toMatchObject({
      status: 400,
      body: { code: 'not_a_budget_gate' },
    })
    // A refusal leaves nothing behind.
    expect((await api.call(`/v1/runs/${id}/gates`)).body.items[0]).toMatchObject({
      status: 'open',
      decisions: [],
    })
  })

  test('a canceled run decides no gate', async () => {
    const id = await atGate()
    await api.call(`/v1/runs/${id}/cancel`, { method: 'POST' })
    expect(await decide(id, { decision: 'approve' })).toMatchObject({
      status: 409,
      body: { code: 'gate_closed' },
    })
  })
})

test('of an approval and a rejection at once exactly one counts', async () => {
  for (let round = 0; round < 10; round++) {
    const id = await atGate()
    const answers = await Promise.all([
      decide(id, { decision: 'approve' }),
      decide(id, { decision: 'reject' }),
    ])
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409])
    const won = answers.find((answer) => answer.status === 200)
    const [gate] = (await api.call(`/v1/runs/${id}/gates`)).body.items
    expect(gate).toEqual(won?.body)
    expect(gate.decisions).toHaveLength(1)
  }
})
