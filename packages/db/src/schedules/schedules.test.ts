import type { PutSchedule } from '@devflow/contracts'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { transaction } from '../command/index.ts'
import { claimSubmission, type DueSubmission } from '../submissions/index.ts'
import { type TestDatabase, testDatabase } from '../testing.ts'
import {
  addOccasions,
  deleteSchedule,
  judgeOccasion,
  mirrorAnew,
  mirrorOnce,
  noteCaughtUp,
  noteRun,
  pauseSchedule,
  putSchedule,
  readSchedule,
  scheduleAt,
  schedulesBehind,
  schedulesToMirror,
  storedSchedule,
} from './index.ts'

let database: TestDatabase
let pool: pg.Pool
beforeAll(async () => {
  database = await testDatabase()
  pool = new pg.Pool({ connectionString: database.url, max: 8, options: '-c timezone=UTC' })
  pool.on('error', () => {}) // Dropping the database ends idle connections.
})
afterAll(async () => {
  await pool.end()
  await database.close()
})

const tenant = 'default'
const ref = (id: string) => ({ tenant, id })
const put = (id: string, more: Partial<PutSchedule> = {}) =>
  putSchedule(
    pool,
    { ...ref(id), actor: 'owner' },
    { spec: { cron: ['@daily'] }, submit: { template: 'x@1' }, ...more },
  )
const stored = async (id: string) => {
  const schedule = await storedSchedule(pool, ref(id))
  if (!schedule) throw new Error(`there is no schedule ${id}`)
  return schedule
}
const mirrored = async (id: string) => {
  let calls = 0
  await mirrorOnce(pool, ref(id), async () => {
    calls += 1
    return undefined
  })
  return calls
}
const toMirror = async (id: string) => (await schedulesToMirror(pool, 100)).some((each) => each.id === id)

test('a schedule is mirrored by one at a time, after each change, and again where Temporal lost it', async () => {
  await put('mirror')
  let under = 0
  let most = 0
  const slowly = () =>
    mirrorOnce(pool, ref('mirror'), async (db) => {
      most = Math.max(most, ++under)
      await db.query({ text: 'select pg_sleep(0.05)' })
      under -= 1
      return undefined
    })
  await Promise.all([slowly(), slowly(), slowly()])
  expect(most).toBe(1)
  expect(await toMirror('mirror')).toBe(false)
  expect(await mirrored('mirror')).toBe(0)
  await pauseSchedule(pool, { ...ref('mirror'), pause: true })
  expect(await mirrored('mirror')).toBe(1)
  await pauseSchedule(pool, { ...ref('mirror'), pause: true })
  expect(await mirrored('mirror')).toBe(0)
  await mirrorAnew(pool, [ref('mirror')])
  expect(await mirrored('mirror')).toBe(1)
})

test('what changes while it is mirrored is mirrored after it; a refusal is told where it is read', async () => {
  await put('change')
  await mirrorOnce(pool, ref('change'), async () => {
    await put('change', { overlap: 'allow_all' })
    return 'no such zone'
  })
  expect(await toMirror('change')).toBe(true)
  await mirrorOnce(pool, ref('change'), async () => 'no such zone')
  expect(await readSchedule(pool, tenant, 'change')).toMatchObject({
    mirrored: false,
    problem: 'no such zone',
  })
  expect(await toMirror('change')).toBe(false)
})

test('a deleted schedule is gone once Temporal has heard of it, unless it was made anew', async () => {
  await put('gone')
  expect(await deleteSchedule(pool, tenant, 'gone')).toBe(true)
  expect(await deleteSchedule(pool, tenant, 'gone')).toBe(false)
  expect(await readSchedule(pool, tenant, 'gone')).toBeUndefined()
  await mirrorOnce(pool, ref('gone'), async () => {
    await put('gone')
    return undefined
  })
  expect(await readSchedule(pool, tenant, 'gone')).toMatchObject({ mirrored: false })
  await deleteSchedule(pool, tenant, 'gone')
  expect(await mirrored('gone')).toBe(1)
  expect(await toMirror('gone')).toBe(false)
})

test('times count since the schedule has them, and not while it is paused', async () => {
  const counts = async (at: Date) => (await scheduleAt(pool, { ...ref('counts'), at })) !== undefined
  const before = new Date(Date.now() - 60_000)
  const later = () => new Date(Date.now() + 60_000)
  await put('counts')
  expect([await counts(before), await counts(later())]).toEqual([false, true])
  const { active_since: since } = await stored('counts')
  await put('counts', { overlap: 'buffer_all' })
  expect((await stored('counts')).active_since).toEqual(since)
  await put('counts', { spec: { cron: ['@hourly'] } })
  expect((await stored('counts')).active_since.getTime()).toBeGreaterThan(since.getTime())
  await pauseSchedule(pool, { ...ref('counts'), pause: true })
  expect(await counts(later())).toBe(false)
  expect((await schedulesBehind(pool, later())).map(({ id }) => id)).not.toContain('counts')
  const paused = new Date()
  await pauseSchedule(pool, { ...ref('counts'), pause: false })
  expect([await counts(paused), await counts(later())]).toEqual([false, true])
  const until = later()
  expect((await schedulesBehind(pool, until)).map(({ id }) => id)).toContain('counts')
  await noteCaughtUp(pool, [ref('counts')], until)
  expect((await schedulesBehind(pool, until)).map(({ id }) => id)).not.toContain('counts')
})

test('of times that are judged at once as many make a run as are left', async () => {
  await put('race', { overlap: 'allow_all', remaining: 3 })
  const times = Array.from({ length: 8 }, (_, hour) => new Date(Date.UTC(2026, 0, 1, hour)))
  const added = await Promise.all([
    addOccasions(pool, await stored('race'), times, {}),
    addOccasions(pool, await stored('race'), times.slice(2), {}),
  ])
  expect(added.reduce((sum, count) => sum + count)).toBe(8)
  const due: DueSubmission[] = []
  for (let next = await claimSubmission(pool); next; next = await claimSubmission(pool)) due.push(next)
  expect(due).toHaveLength(8)
  const verdicts = await Promise.all(
    due.map(({ id, source, at, overlap, is_manual: isManual }) =>
      transaction(pool, async (db) => {
        const occasion = { id, tenant, source, at: at ?? new Date(), overlap, isManual }
        const { go } = await judgeOccasion(db, occasion)
        if (go) await noteRun(db, occasion, crypto.randomUUID())
        return go
      }),
    ),
  )
  expect(verdicts.filter(Boolean)).toHaveLength(3)
  expect(await readSchedule(pool, tenant, 'race')).toMatchObject({ remaining: 0 })
  // Temporal's clock is to stand still now.
  expect(await toMirror('race')).toBe(true)
})

test('jitter puts a run off by up to so much, never a time that a person asks for', async () => {
  await put('late', { jitter: 'PT1H' })
  const at = new Date()
  await addOccasions(pool, await stored('late'), [at], {})
  await addOccasions(pool, await stored('late'), [at], { isManual: true, key: 'trigger/1' })
  const { rows } = await pool.query(
    `select is_manual, extract(epoch from due_at - created_at)::float8 as late from devflow.submissions where source = 'schedule/late' order by is_manual`,
  )
  expect(rows).toEqual([
    { is_manual: false, late: expect.any(Number) },
    { is_manual: true, late: expect.closeTo(0) },
  ])
  expect(rows[0].late).toBeGreaterThan(0)
  expect(rows[0].late).toBeLessThanOrEqual(3600)
})
