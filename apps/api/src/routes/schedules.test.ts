import { addOccasions, storedSchedule } from '@devflow/db'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { submitDue } from '../submissions/submitter.ts'
import { COMPLETED, STARTED, type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi
beforeAll(async () => {
  api = await testApi({}, afterAll)
})

const cel = (expression: string) => `\${{ ${expression} }}`
const YEARLY = { cron: ['0 0 1 1 *'] }
const submitOf = (of: string, request = 'x') => ({
  template: 'test/echo@1',
  input: { request },
  labels: { of },
})
const put = (id: string, more: Record<string, unknown> = {}) =>
  api.call(`/v1/schedules/${id}`, {
    method: 'PUT',
    json: { spec: YEARLY, submit: submitOf(id), ...more },
  })
const post = (id: string, verb: string, json?: unknown, headers: Record<string, string> = {}) =>
  api.call(`/v1/schedules/${id}/${verb}`, { json: json ?? {}, headers })
const runsOf = async (of: string) => (await api.call(`/v1/runs?label.of=${of}`)).body.items
/** A time of a schedule has come, as its clock in Temporal says; resolves when all is judged. */
const comes = async (id: string, ...times: string[]) => {
  const schedule = await storedSchedule(api.deps.pool, { tenant: 'default', id })
  if (!schedule) throw new Error(`there is no schedule ${id}`)
  await addOccasions(
    api.deps.pool,
    schedule,
    times.map((time) => new Date(time)),
    {},
  )
  await judged(id)
}
const judged = (id: string) =>
  vi.waitFor(async () => {
    await submitDue(api.deps)
    const { rows } = await api.deps.pool.query(
      `select 1 from devflow.submissions where source = 'schedule/' || $1 and status = 'waiting' and due_at < 'infinity'`,
      [id],
    )
    expect(rows).toEqual([])
  })
const lastOf = async (id: string) =>
  (await api.call(`/v1/schedules/${id}`)).body.last.map(
    ({ at, status, reason }: { at: string; status: string; reason?: string }) =>
      `${at.slice(11, 16)} ${status}${reason ? `: ${reason}` : ''}`,
  )
const at = (time: string) => `2026-01-01T${time}:00Z`

test('a time submits a run once, told when it was meant to be', async () => {
  const made = await put('told', {
    spec: { cron: ['0 9 * * MON-FRI'], timeZone: 'Europe/Berlin' },
    submit: submitOf('told', `at ${cel('schedule.at')} by ${cel('schedule.id')}`),
  })
  expect(made).toMatchObject({ status: 200, body: { overlap: 'skip', paused: false, last: [] } })
  expect(made.body.next).toHaveLength(5)
  await Promise.all([comes('told', at('08:00')), comes('told', at('08:00'))])
  expect(await lastOf('told')).toEqual(['08:00 submitted'])
  expect(await runsOf('told')).toMatchObject([
    { input: { request: 'at 2026-01-01T08:00:00.000Z by told' }, actor: 'schedule/told' },
  ])
})

test('while its last run is unfinished the policy says what becomes of a time', async () => {
  const times = [at('01:00'), at('02:00'), at('03:00')]
  const expected = {
    skip: ['03:00 skipped: overlap', '02:00 skipped: overlap', '01:00 submitted'],
    buffer_one: ['03:00 skipped: overlap', '02:00 waiting', '01:00 submitted'],
    buffer_all: ['03:00 waiting', '02:00 waiting', '01:00 submitted'],
    cancel_other: ['03:00 waiting', '02:00 skipped: overlap', '01:00 submitted'],
    allow_all: ['03:00 submitted', '02:00 submitted', '01:00 submitted'],
  }
  for (const [overlap, last] of Object.entries(expected)) {
    await put(overlap, { overlap })
    for (const time of times) {
      await comes(overlap, time)
      // A queued run is canceled at once, one that has started later.
      if (time === times[0]) await api.append((await runsOf(overlap))[0].id, ...STARTED)
    }
    expect({ overlap, last: await lastOf(overlap) }).toEqual({ overlap, last })
  }
  // What was kept comes when the run is over, in order; a run that has to give way is canceled.
  for (const overlap of ['buffer_all', 'cancel_other']) {
    const [run] = await runsOf(overlap)
    await api.append(run.id, COMPLETED)
    await judged(overlap)
  }
  expect(await lastOf('buffer_all')).toEqual(['03:00 waiting', '02:00 submitted', '01:00 submitted'])
  expect(await lastOf('cancel_other')).toEqual([
    '03:00 submitted',
    '02:00 skipped: overlap',
    '01:00 submitted',
  ])
})

test('runs are counted where a number is given; who asks for one by hand is not', async () => {
  await put('two', { remaining: 2, overlap: 'allow_all' })
  for (const time of ['01:00', '02:00', '03:00']) await comes('two', at(time))
  expect(await lastOf('two')).toEqual(['03:00 skipped: remaining', '02:00 submitted', '01:00 submitted'])
  expect((await api.call('/v1/schedules/two')).body).toMatchObject({ remaining: 0, next: [] })
  const key = { 'idempotency-key': 'once' }
  expect(await post('two', 'trigger', {}, key)).toMatchObject({ status: 202, body: { id: 'two' } })
  expect(await post('two', 'trigger', {}, key)).toMatchObject({ status: 200 })
  await judged('two')
  expect(await runsOf('two')).toHaveLength(3)
})

test('a paused schedule has no next times and stays paused when it is replaced', async () => {
  await put('rest')
  expect(await post('rest', 'pause', { reason: 'holidays' })).toMatchObject({
    status: 200,
    body: { paused: true, pausedBecause: 'holidays', next: [] },
  })
  expect((await put('rest', { overlap: 'allow_all' })).body).toMatchObject({ paused: true })
  expect((await post('rest', 'resume')).body).toMatchObject({ paused: false })
  expect((await api.call('/v1/schedules/rest')).body.next).toHaveLength(5)
})

test('times of a range in the past are made due, those that were made are not', async () => {
  await put('back', { spec: { intervals: [{ every: 'PT1H' }] }, overlap: 'allow_all' })
  await comes('back', at('02:00'))
  expect(await post('back', 'backfill', { from: at('00:00'), to: at('03:30') })).toMatchObject({
    status: 202,
    body: { times: 4, added: 3 },
  })
  await judged('back')
  expect(await runsOf('back')).toHaveLength(4)
  const refused = { status: 400, body: { code: 'invalid_range', errors: [{ path: 'to' }] } }
  for (const range of [
    { from: at('03:00'), to: at('02:00') },
    { from: at('03:00'), to: '2099-01-01T00:00:00Z' },
    { from: '2020-01-01T00:00:00Z', to: at('00:00') },
  ])
    expect(await post('back', 'backfill', range)).toMatchObject(refused)
})

test('a deleted schedule submits no more, neither what waited; made anew it begins anew', async () => {
  await put('gone', { overlap: 'buffer_all' })
  await comes('gone', at('01:00'), at('02:00'))
  const [run] = await runsOf('gone')
  expect(await api.call('/v1/schedules/gone', { method: 'DELETE' })).toMatchObject({ status: 204 })
  expect(await api.call('/v1/schedules/gone')).toMatchObject({
    status: 404,
    body: { code: 'schedule_not_found' },
  })
  expect(await post('gone', 'pause')).toMatchObject({ status: 404 })
  expect(await post('gone', 'trigger')).toMatchObject({ status: 404 })
  await api.append(run.id, ...STARTED, COMPLETED)
  await submitDue(api.deps)
  expect(await runsOf('gone')).toHaveLength(1)
  expect(await put('gone')).toMatchObject({ status: 200, body: { paused: false, mirrored: false } })
})

test.each([
  [{ spec: {} }, 'invalid', 'spec'],
  [{ spec: { cron: '0 9 * * *' } }, 'invalid', 'spec.cron'],
  [{ spec: { cron: ['0 25 * * *'] } }, 'invalid_schedule', 'spec.cron.0'],
  [{ spec: { cron: ['0 0 30 2 *'] } }, 'invalid_schedule', 'spec'],
  [{ spec: { ...YEARLY, timeZone: 'Mars/Olympus' } }, 'invalid_schedule', 'spec.timeZone'],
  [{ submit: submitOf('x', cel('event.data')) }, 'invalid_schedule', 'submit.input.request'],
  [{ overlap: 'sometimes' }, 'invalid', 'overlap'],
  [{ jitter: 'P2D' }, 'invalid', 'jitter'],
  [{ catchUp: 'P31D' }, 'invalid', 'catchUp'],
])('%j is refused', async (more, code, path) => {
  expect(await put('bad', more)).toMatchObject({ status: 400, body: { code, errors: [{ path }] } })
})
