import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DevflowClient, type PutSchedule } from '@devflow/client'
import { type ScheduleSpec, TEMPORAL } from '@devflow/contracts'
import { compileSpec, scheduleTimes } from '@devflow/definition'
import { tsToMs } from '@temporalio/common/lib/time.js'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { type ApiProcess, startApi } from '../support/api-process.ts'
import { useStack } from '../support/stack.ts'

const ENTRIES = fileURLToPath(new URL('../support/entries', import.meta.url))
const TEMPLATES = `
kind: template
id: timed/quick@1
phases: [{ id: nap, wait: { for: PT0.01S } }]
---
kind: template
id: timed/gate@1
phases: [{ id: ok, gate: { title: Go on? } }]
`
const EVERY_SECOND = { intervals: [{ every: 'PT1S' }] }

const stack = useStack()
let folder: string
let api: ApiProcess
let client: DevflowClient

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'devflow-schedules-'))
  await writeFile(join(folder, 'templates.yaml'), TEMPLATES)
  api = await startApi({
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: stack.client.options.namespace,
    DEVFLOW_ENTRIES: `${ENTRIES}:${folder}`,
  })
  client = new DevflowClient({ baseUrl: api.url })
})
afterAll(async () => {
  await api?.stop()
  await rm(folder, { recursive: true, force: true })
})

const put = (id: string, schedule: Partial<PutSchedule> = {}) =>
  client.schedules.put(id, {
    spec: EVERY_SECOND,
    submit: { template: 'timed/quick@1', labels: { of: id, at: `\${{ schedule.at }}` } },
    ...schedule,
  })
const gated = (id: string) => ({ template: 'timed/gate@1', labels: { of: id } })
const runsOf = (id: string) => Array.fromAsync(client.runs.list({ labels: { of: id }, limit: 200 }))
const inTemporal = (id: string) => stack.client.schedule.getHandle(TEMPORAL.scheduleId('default', id))
const eventually = <T>(look: () => Promise<T>) => vi.waitFor(look, { timeout: 20_000, interval: 100 })
/** What became of the occasions of a schedule, by time. */
const occasions = async (id: string) => {
  const { rows } = await stack.pool.query<{ at: Date; created_at: Date; status: string; is_open: boolean }>(
    `select at, created_at, status, status = 'waiting' and due_at < 'infinity' as is_open
     from devflow.submissions where source = 'schedule/' || $1 order by at`,
    [id],
  )
  return rows
}
const seconds = (times: readonly Date[]) => times.map((time) => time.getTime() / 1000)

test('a schedule submits a run at each of its times, once, until it is paused or its runs are used up', async () => {
  await put('each', { remaining: 3 })
  await eventually(async () =>
    expect(await client.schedules.get('each')).toMatchObject({ remaining: 0, next: [] }),
  )
  const runs = await runsOf('each')
  expect(runs).toHaveLength(3)
  const times = runs.map(({ labels }) => Date.parse(labels.at ?? '')).sort()
  expect(new Set(times).size).toBe(3)
  expect(times.every((time) => time % 1000 === 0)).toBe(true)
  expect(runs[0]?.actor).toBe('schedule/each')
  await eventually(async () => expect((await inTemporal('each').describe()).state.paused).toBe(true))
  await client.schedules.trigger('each', { overlap: 'allow_all' })
  await eventually(async () => expect(await runsOf('each')).toHaveLength(4))
})

test('times that overlap are skipped, one of them or all are kept for later, or the run gives way', async () => {
  for (const overlap of ['skip', 'buffer_one', 'buffer_all', 'cancel_other'] as const)
    await put(overlap, { overlap, submit: gated(overlap), spec: { cron: ['0 0 1 1 *'] } })
  const trigger = async (id: string) => {
    const before = await occasions(id)
    await client.schedules.trigger(id)
    // Each is judged before the next comes.
    return await eventually(async () => {
      const found = await occasions(id)
      expect(found).toHaveLength(before.length + 1)
      expect(found.filter(({ is_open: isOpen }) => isOpen)).toEqual([])
      return found.map(({ status }) => status)
    })
  }
  const three = async (id: string) => {
    await trigger(id)
    await trigger(id)
    return await trigger(id)
  }
  expect(await three('skip')).toEqual(['submitted', 'skipped', 'skipped'])
  expect(await three('buffer_one')).toEqual(['submitted', 'waiting', 'skipped'])
  expect(await three('buffer_all')).toEqual(['submitted', 'waiting', 'waiting'])
  const decided = new Set<string>()
  while (decided.size < 3) {
    const next = await eventually(async () => {
      const runs = await runsOf('buffer_all')
      const [run, ...others] = runs.filter(({ id, status }) => status === 'waiting' && !decided.has(id))
      expect(others).toEqual([])
      if (!run) throw new Error(`no run waits after ${decided.size}`)
      return run.id
    })
    await client.gates.decide(next, 'ok', { decision: 'approve' })
    decided.add(next)
  }
  await trigger('cancel_other')
  await client.schedules.trigger('cancel_other')
  await eventually(async () =>
    expect((await runsOf('cancel_other')).map(({ status }) => status).sort()).toEqual([
      'canceled',
      'waiting',
    ]),
  )
})

test('times missed while Temporal had lost the schedule are caught up, none is made twice', async () => {
  await put('lost', { overlap: 'allow_all' })
  const madeAt = Date.now()
  // Told by Temporal's clock: what is caught up comes later, or as the schedule is mirrored.
  await eventually(async () =>
    expect(
      (await occasions('lost')).some(
        ({ at, created_at: keptAt }) =>
          at.getTime() > madeAt + 3_000 && keptAt.getTime() < at.getTime() + 4_000,
      ),
    ).toBe(true),
  )
  await inTemporal('lost').delete()
  const lostAt = Date.now()
  await eventually(async () =>
    expect((await inTemporal('lost').describe()).info.numActionsTaken).toBeGreaterThan(1),
  )
  await client.schedules.pause('lost', 'enough')
  await eventually(async () => expect((await client.schedules.get('lost')).mirrored).toBe(true))
  const found = seconds((await occasions('lost')).map(({ at }) => at))
  expect(found.at(-1)).toBeGreaterThan(lostAt / 1000 + 1)
  const [first = 0] = found
  expect(found).toEqual(found.map((_, index) => first + index))
  await eventually(async () => expect(await runsOf('lost')).toHaveLength(found.length))
})

test('two workers mirror the same schedules; a deleted one is gone from Temporal, and comes anew', async () => {
  const other = await stack.startAnotherWorker()
  try {
    const ids = Array.from({ length: 12 }, (_, index) => `many-${index}`)
    await Promise.all(ids.map((id) => put(id, { spec: { cron: ['0 0 1 1 *'] } })))
    await eventually(async () => {
      for (const id of ids) expect(await client.schedules.get(id)).toMatchObject({ mirrored: true })
    })
    await Promise.all(ids.map((id) => client.schedules.delete(id)))
    await eventually(async () => {
      for (const id of ids) await expect(inTemporal(id).describe()).rejects.toThrow(/not found/i)
    })
    await put('many-0', { spec: { cron: ['0 0 2 1 *'] } })
    await eventually(async () =>
      expect((await inTemporal('many-0').describe()).spec.calendars?.[0]?.dayOfMonth[0]?.start).toBe(2),
    )
  } finally {
    await other.stop()
  }
})

test('what was changed or paused in Temporal is set right again', async () => {
  await put('bent', { spec: { cron: ['0 0 1 1 *'] } })
  await eventually(async () => expect(await client.schedules.get('bent')).toMatchObject({ mirrored: true }))
  await inTemporal('bent').pause()
  await eventually(async () => expect((await inTemporal('bent').describe()).state.paused).toBe(false))
})

test('times of a range that were not made are made, each once', async () => {
  await put('back', { spec: { intervals: [{ every: 'PT1H' }] }, overlap: 'allow_all' })
  const range = { from: '2026-01-01T00:00:00Z', to: '2026-01-01T05:00:00Z' }
  expect(await client.schedules.backfill('back', range)).toEqual({ times: 6, added: 6 })
  expect(await client.schedules.backfill('back', { ...range, to: '2026-01-01T06:00:00Z' })).toEqual({
    times: 7,
    added: 1,
  })
  await eventually(async () => expect(await runsOf('back')).toHaveLength(7))
})

// Where clocks are put forward, months of all lengths, a leap day. Where they are put back Temporal differs.
const SPECS: [string, ScheduleSpec, from: string, to: string][] = [
  ['daily', { cron: ['30 2 * * *'], timeZone: 'Europe/Berlin' }, '2026-01-01', '2026-10-25'],
  ['each hour', { cron: ['15 * * * *'], timeZone: 'America/New_York' }, '2026-03-01', '2026-03-20'],
  ['both days', { cron: ['0 12 13 * FRI', '@monthly'] }, '2026-01-01', '2028-01-01'],
  ['seconds', { cron: ['*/20 58-59 23 28-31 * * *'] }, '2028-02-25', '2028-03-05'],
  [
    'mixed',
    {
      calendars: [
        { hour: '8-18/2', dayOfWeek: 'MON-FRI' },
        { dayOfMonth: 1, hour: 7, minute: '5,10' },
      ],
      intervals: [{ every: 'PT7H', offset: 'PT1H' }],
      skip: [{ month: 'MAY' }, { dayOfWeek: 'WED', hour: '10-12' }],
      timeZone: 'Asia/Seoul',
      startAt: '2026-04-10T00:00:00Z',
      endAt: '2026-06-10T00:00:00+09:00',
    },
    '2026-04-01',
    '2026-07-01',
  ],
]
test.for(SPECS)('Temporal has the same times: %s', async ([name, spec, from, to]) => {
  const id = name.replaceAll(' ', '-')
  await put(id, { spec, catchUp: 'PT0S' })
  const mirrored = await eventually(async () => {
    await inTemporal(id).describe()
    const { startTime } = await stack.client.workflowService.listScheduleMatchingTimes({
      namespace: stack.client.options.namespace,
      scheduleId: TEMPORAL.scheduleId('default', id),
      startTime: { seconds: (Date.parse(from) / 1000) as never },
      endTime: { seconds: (Date.parse(to) / 1000) as never },
    })
    return startTime.map((time) => tsToMs(time) / 1000)
  })
  const { compiled } = compileSpec(spec)
  const times = scheduleTimes(compiled, { after: new Date(from), until: new Date(to), most: 1_000 })
  expect(mirrored.length).toBeGreaterThan(0)
  expect(seconds(times)).toEqual(mirrored)
})
