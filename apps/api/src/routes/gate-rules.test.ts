import { decideGate, rebuild } from '@devflow/db'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gateOpened, type TestApi, testApi } from '../test-api.fixture.ts'

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
  )
  return id
}

const decide = (run: string, json: unknown) => api.call(`/v1/runs/${run}/gates/approve/decisions`, { json })
const delegate = (run: string, to: string) =>
  api.call(`/v1/runs/${run}/gates/approve/delegations`, { json: { to, comment: 'away' } })
const as = (run: string, actor: string, decision: 'approve' | 'reject' = 'approve') =>
  decideGate(api.deps.pool, {
    run,
    gate: 'approve',
    actor,
    holds: [`principal:${actor}`],
    decision,
    via: 'api',
  })
const eventsOf = async (run: string, type: string) =>
  (await api.call(`/v1/runs/${run}/events?type=${type}`)).body.items

test('a request for changes closes the opening as rejected, and says on record what begins anew', async () => {
  const goesBack = { changes: { to: 'approve', for: 'approve' }, maxRounds: 1 }
  const id = await atGate({ goesBack })
  expect((await api.call(`/v1/runs/${id}/gates`)).body.items[0]).toMatchObject({
    allowChanges: 'approve',
    round: 0,
    maxRounds: 1,
  })
  expect(await decide(id, { decision: 'request_changes', comment: 'Shorter.' })).toMatchObject({
    status: 200,
    body: { status: 'rejected', round: 1, decisions: [{ decision: 'request_changes', comment: 'Shorter.' }] },
  })
  expect(await decide(id, { decision: 'request_changes' })).toMatchObject({ status: 200 })
  expect(await eventsOf(id, 'gate.changes_requested')).toMatchObject([
    { data: { round: 1, requests: [{ actor: 'owner', comment: 'Shorter.' }] } },
  ])
  expect(await eventsOf(id, 'phase.retried')).toMatchObject([
    { phase: 'approve', attempt: 2, data: { by: 'gate', gate: 'approve', sentBack: { round: 1 } } },
  ])
  await api.append(id, { ...gateOpened({ goesBack }), key: 'approve/2/opened', attempt: 2 })
  expect(await decide(id, { decision: 'request_changes' })).toMatchObject({
    status: 409,
    body: { code: 'rounds_exhausted' },
  })
})

test('rejections and requests for changes count together; where somebody asks for changes, the run goes back', async () => {
  const goesBack = { changes: { to: 'approve', for: 'approve' }, maxRounds: 10 }
  const id = await atGate({ goesBack, quorum: 3, rejectQuorum: 2 })
  expect(await as(id, 'ann', 'reject')).toBe('accepted')
  expect(await decide(id, { decision: 'request_changes' })).toMatchObject({ body: { status: 'rejected' } })
  expect(await eventsOf(id, 'gate.closed')).toMatchObject([{ data: { outcome: 'changes_requested' } }])
})

test('whoever submitted the run does not approve where authors may not, but may reject', async () => {
  const id = await atGate({ author: 'owner', quorum: 2, rejectQuorum: 2 })
  const refused = await decide(id, { decision: 'approve' })
  expect(refused).toMatchObject({ status: 403, body: { code: 'not_approver' } })
  expect(refused.body.detail).toMatch(/You submitted this run/)
  // Nor by somebody of their choice.
  expect(await delegate(id, 'bob')).toMatchObject({ status: 403 })
  expect(await as(id, 'bob')).toBe('accepted')
  expect(await decide(id, { decision: 'reject' })).toMatchObject({ status: 200 })
})

test('a delegation hands the decision on: one seat, one decision, and not in a circle', async () => {
  const id = await atGate({ approvers: ['owner', 'principal:ann'], quorum: 2 })
  expect(await as(id, 'bob')).toBe('not_approver')
  expect(await delegate(id, 'bob')).toMatchObject({
    status: 200,
    body: { delegations: [{ from: 'owner', to: 'bob', comment: 'away' }] },
  })
  expect(await delegate(id, 'bob')).toMatchObject({ status: 200 })
  expect(await decide(id, { decision: 'approve' })).toMatchObject({
    status: 403,
    body: { detail: expect.stringContaining('somebody else') },
  })
  // Somebody else instead, and from there on.
  expect(await delegate(id, 'cyd')).toMatchObject({ status: 200 })
  expect(await as(id, 'bob')).toBe('not_approver')
  const { rows } = await api.deps.pool.query(
    "select devflow.delegate($1, 'approve', 'cyd', '{principal:cyd}', 'owner', null, 'api') as circle, devflow.delegate($1, 'approve', 'cyd', '{principal:cyd}', 'dan', null, 'api') as on",
    [id],
  )
  expect(rows).toEqual([{ circle: 'delegation_circle', on: 'accepted' }])
  expect(await as(id, 'cyd')).toBe('handed_over')
  expect(await as(id, 'dan')).toBe('accepted')
  expect(await delegate(id, 'eve')).toMatchObject({ status: 409, body: { code: 'decided_already' } })
  expect(await as(id, 'ann')).toBe('accepted')
  expect(
    (await eventsOf(id, 'gate.decided')).map(({ data }: { data: { actor: string } }) => data.actor),
  ).toEqual(['dan', 'ann'])
  expect(await delegate(await atGate(), 'owner')).toMatchObject({ body: { code: 'delegation_circle' } })
})

test('a decision refused as late is on record once a principal, and never after the end', async () => {
  const id = await atGate({ deadline: 'PT0S' })
  for (let i = 0; i < 3; i++) expect(await decide(id, { decision: 'approve' })).toMatchObject({ status: 409 })
  expect(await eventsOf(id, 'gate.refused')).toMatchObject([
    { data: { gate: 'approve', actor: 'owner', decision: 'approve', reason: 'closed', via: 'api' } },
  ])
  const over = await atGate({ deadline: 'PT0S' })
  await api.append(over, { type: 'run.completed', key: 'round/1/end', data: {} })
  expect(await decide(over, { decision: 'approve' })).toMatchObject({ status: 409 })
  expect(await eventsOf(over, 'gate.refused')).toEqual([])
})

test('the projections of all that are what the log says', async () => {
  expect((await rebuild(api.databaseUrl, { check: true })).differences).toEqual([])
})
