import type { BudgetSetting } from '@devflow/contracts'
import fc from 'fast-check'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Answer } from '../append-types.ts'
import { GroupWriter } from '../group-writer.ts'
import { rebuild } from '../rebuild.ts'
import { type TestDatabase, testDatabase } from '../testing.ts'
import { newRun } from '../testing-runs.ts'
import { foldSlices, readBudgets, setBudgets } from './index.ts'
import { poolsOf, reservedCall, settledCall, spendingProcess } from './spending.fixture.ts'

let database: TestDatabase
let pool: pg.Pool
let writer: GroupWriter

beforeEach(async () => {
  database = await testDatabase()
  pool = new pg.Pool({ connectionString: database.url, max: 8 })
  pool.on('error', () => {}) // Dropping the database ends connections that the pool's end has not waited for.
  writer = new GroupWriter(database.url, pool)
})
afterEach(async () => {
  await writer.close()
  await pool.end()
  await database.close()
})

const set = (...budgets: BudgetSetting[]) => setBudgets(pool, 'default', 'owner', budgets)
const tenantDay = (limitMicroUsd: number, more: Partial<BudgetSetting> = {}): BudgetSetting => ({
  scope: 'tenant-day',
  limitMicroUsd,
  onExceeded: 'block',
  ...more,
})

/** Waits until it holds, looking again as soon as there is an answer. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds()));
}

/** Every pool equals the ledger, and every run's budget its log. */
async function expectTrue(): Promise<void> {
  for (const { used_micro_usd, ledger_micro_usd, used_tokens, ledger_tokens, name } of await poolsOf(pool)) {
    expect([name, Number(used_micro_usd), Number(used_tokens)]).toEqual([
      name,
      Number(ledger_micro_usd),
      Number(ledger_tokens),
    ])
  }
  expect((await rebuild(database.url, { check: true })).differences).toEqual([])
}

/** Puts the log's clock to an instant of this test's own database. */
async function clockAt(iso: string): Promise<void> {
  await pool.query(
    `create or replace function devflow.clock() returns timestamptz language sql volatile as $$ select '${iso}'::timestamptz $$`,
  )
}

describe('a shared budget', () => {
  test('is never overspent by 200 sessions that race for the last cent from two processes, and all of it can be spent', async () => {
    const [limit, cap] = [20_000, 70]
    await set(tenantDay(limit))
    const runs = await Promise.all(Array.from({ length: 200 }, () => newRun(pool)))
    const processes = [runs.slice(0, 100), runs.slice(100)].map((half) =>
      spendingProcess({ databaseUrl: database.url, runs: half, cap }),
    )
    const left = (await Promise.all(processes.map((each) => each.left))).flat()
    expect(left).toHaveLength(200)
    // Nobody was refused while there was enough for a call.
    expect(Math.max(...left)).toBeLessThan(cap)
    const [day] = await poolsOf(pool)
    expect(Number(day?.used_micro_usd)).toBeLessThanOrEqual(limit)
    expect(Number(day?.used_micro_usd)).toBeGreaterThan(limit - cap)
    // Both have ended: nothing is held by a slice any more.
    expect((await pool.query('select 1 from devflow.budget_slices')).rows).toEqual([])
    await expectTrue()
  }, 60_000)

  test('grants no cent twice, when all that is granted stays reserved', async () => {
    const [limit, cap] = [9_999, 7]
    await set(tenantDay(limit))
    const runs = await Promise.all(Array.from({ length: 20 }, () => newRun(pool)))
    const processes = [runs.slice(0, 10), runs.slice(10)].map((half) =>
      spendingProcess({ databaseUrl: database.url, runs: half, cap, settles: false }),
    )
    await Promise.all(processes.map((each) => each.left))
    const [day] = await poolsOf(pool)
    expect(Number(day?.used_micro_usd)).toBe(limit - (limit % cap))
    await expectTrue()
  }, 60_000)

  test('that another process takes back from a slice in the very moment is not granted from it', async () => {
    await set(tenantDay(1_000))
    const run = await newRun(pool)
    // The slice is drawn ahead: 50 more would fit into it.
    await writer.append(reservedCall(run, 1, { microUsd: 100 }))
    const thief = await pool.connect()
    try {
      await thief.query('begin')
      await thief.query('select 1 from devflow.budget_pools for no key update')
      await thief.query('update devflow.budget_slices set drawn_micro_usd = used_micro_usd')
      await thief.query(
        "insert into devflow.budget_slices select pool, 'thief', 900, 0, 900, 0, at from devflow.budget_slices",
      )
      const answer = writer.append(reservedCall(run, 2, { microUsd: 50 }))
      await until(async () => {
        const { rows } = await pool.query(
          "select 1 from pg_stat_activity where datname = current_database() and application_name = 'devflow-writer' and wait_event_type = 'Lock'",
        )
        return rows.length > 0
      })
      await thief.query('commit')
      expect(await answer).toMatchObject({ verdict: 'refused', over: { leftMicroUsd: 0 } })
    } finally {
      thief.release()
    }
  })

  test('gets back what a killed process held and had not used', async () => {
    await set(tenantDay(10_000))
    const runs = await Promise.all(Array.from({ length: 10 }, () => newRun(pool)))
    const child = spendingProcess({ databaseUrl: database.url, runs, cap: 100, hold: true })
    await child.left
    await child.kill()
    const { rows } = await pool.query('select drawn_micro_usd, used_micro_usd from devflow.budget_slices')
    expect(Number(rows[0].drawn_micro_usd)).toBeGreaterThan(Number(rows[0].used_micro_usd))
    // 1,000 are reserved by calls that may have been sent; all the rest is there for others.
    const run = await newRun(pool)
    expect(await writer.append(reservedCall(run, 1, { microUsd: 9_001 }))).toMatchObject({
      verdict: 'refused',
      over: { leftMicroUsd: 9_000 },
    })
    expect(await writer.append(reservedCall(run, 2, { microUsd: 9_000 }))).toMatchObject({
      verdict: 'written',
    })
    expect(await foldSlices(pool, '', new Date(Date.now() + 60_000))).toBe(2)
    await expectTrue()
  })

  test('is charged on the day of the reservation, also for what is settled after midnight', async () => {
    await clockAt('2031-05-01T23:59:58Z')
    await set(tenantDay(1_000))
    const [late, early] = [await newRun(pool), await newRun(pool)]
    await writer.append(reservedCall(late, 1, { microUsd: 900 }))
    expect(await writer.append(reservedCall(early, 1, { microUsd: 200 }))).toMatchObject({
      verdict: 'refused',
      over: { day: '2031-05-01', leftMicroUsd: 100 },
    })
    await clockAt('2031-05-02T00:00:01Z')
    // The new day has all of its limit, with the call of the old one still in flight.
    expect(await writer.append(reservedCall(early, 2, { microUsd: 1_000 }))).toMatchObject({
      verdict: 'written',
    })
    await writer.append(settledCall(late, 1, 800.5))
    const [first, second] = await poolsOf(pool)
    expect([first?.name, Number(first?.used_micro_usd)]).toEqual(['tenant-day/2031-05-01', 800.5])
    expect([second?.name, Number(second?.used_micro_usd)]).toEqual(['tenant-day/2031-05-02', 1_000])
    expect((await readBudgets(pool, 'default'))[0]?.today).toMatchObject([
      { day: '2031-05-02', spentMicroUsd: 0, reservedMicroUsd: 1_000 },
    ])
    await expectTrue()
  })

  test('that is set in the middle of a day counts what was spent before, and what is in flight', async () => {
    const [one, two] = [await newRun(pool), await newRun(pool)]
    await writer.append(reservedCall(one, 1, { microUsd: 100 }))
    await writer.append(settledCall(one, 1, 60))
    await writer.append(reservedCall(two, 1, { microUsd: 30 }))
    await set(tenantDay(100))
    expect(await writer.append(reservedCall(one, 2, { microUsd: 11 }))).toMatchObject({
      over: { leftMicroUsd: 10 },
    })
    await writer.append(settledCall(two, 1, 5))
    expect(await writer.append(reservedCall(one, 3, { microUsd: 35 }))).toMatchObject({ verdict: 'written' })
    await expectTrue()
    await set()
    expect(await writer.append(reservedCall(one, 4, { microUsd: 9_999 }))).toMatchObject({
      verdict: 'written',
    })
    await set(tenantDay(100))
    expect(await writer.append(reservedCall(one, 5, { microUsd: 1 }))).toMatchObject({ verdict: 'refused' })
    await expectTrue()
  })

  test('of a persona holds for it alone, of its versions together, and of each one where none is named', async () => {
    await set(
      { scope: 'persona-day', limitMicroUsd: 10, onExceeded: 'block' },
      { scope: 'persona-day', persona: 'bob', limitMicroUsd: 40, onExceeded: 'block' },
      { scope: 'persona-day', persona: 'bob@2', limitMicroUsd: 25, onExceeded: 'block' },
    )
    const run = await newRun(pool)
    let turn = 0
    const reserve = async (persona: string, microUsd: number): Promise<Answer> => {
      turn += 1
      return await writer.append(reservedCall(run, turn, { microUsd, persona }))
    }
    expect(await reserve('ann@1', 10)).toMatchObject({ verdict: 'written' })
    expect(await reserve('ann@1', 1)).toMatchObject({ over: { scope: 'persona-day', persona: 'ann@1' } })
    expect(await reserve('cid@1', 10)).toMatchObject({ verdict: 'written' })
    expect(await reserve('bob@1', 10)).toMatchObject({ verdict: 'written' })
    expect(await reserve('bob@2', 26)).toMatchObject({ over: { persona: 'bob@2', leftMicroUsd: 25 } })
    expect(await reserve('bob@3', 10)).toMatchObject({ verdict: 'written' })
    expect(await reserve('bob@2', 21)).toMatchObject({ over: { persona: 'bob', leftMicroUsd: 20 } })
    expect(await reserve('bob@2', 20)).toMatchObject({ verdict: 'written' })
    expect(
      (await readBudgets(pool, 'default')).map(({ today }) =>
        today.map((each) => [each.persona, each.reservedMicroUsd]),
      ),
    ).toEqual([
      [
        ['ann@1', 10],
        ['bob@1', 10],
        ['bob@3', 10],
        ['cid@1', 10],
      ],
      [['bob', 40]],
      [['bob@2', 20]],
    ])
    await expectTrue()
  })

  test('counts tokens as well, and lets an unpriced model through a limit in money only where it says so', async () => {
    await set(tenantDay(100, { limitTokens: 50 }))
    const run = await newRun(pool)
    expect(await writer.append(reservedCall(run, 1, { microUsd: undefined }))).toMatchObject({
      over: { exceeded: ['unpriced'] },
    })
    expect(await writer.append(reservedCall(run, 2, { microUsd: 1, tokens: 51 }))).toMatchObject({
      over: { exceeded: ['tokens'], leftTokens: 50 },
    })
    await set(tenantDay(100, { limitTokens: 50, allowUnpriced: true }))
    expect(await writer.append(reservedCall(run, 3, { microUsd: undefined, tokens: 50 }))).toMatchObject({
      verdict: 'written',
    })
    await expectTrue()
  })

  test('that only warns is gone past, told each time, without holding the others up', async () => {
    await set(tenantDay(10, { onExceeded: 'warn_continue' }))
    const run = await newRun(pool)
    expect(await writer.append(reservedCall(run, 1, { microUsd: 10 }))).not.toHaveProperty('past')
    for (const turn of [2, 3])
      expect(await writer.append(reservedCall(run, turn, { microUsd: 1 }))).toMatchObject({
        verdict: 'written',
        past: [{ scope: 'tenant-day', exceeded: ['money'] }],
      })
    await expectTrue()
  })

  test('of a run is shared by its children, whoever of them spends', async () => {
    const parent = await newRun(pool, { budget: { limitMicroUsd: 100 } })
    await writer.append(reservedCall(parent, 1, { microUsd: 40 }))
    await writer.append(settledCall(parent, 1, 30))
    const child = await newRun(pool, { parent })
    const grandchild = await newRun(pool, { parent: child })
    expect(await writer.append(reservedCall(child, 1, { microUsd: 50 }))).toMatchObject({
      verdict: 'written',
    })
    expect(await writer.append(reservedCall(grandchild, 1, { microUsd: 21 }))).toMatchObject({
      over: { scope: 'run', persona: parent, leftMicroUsd: 20 },
    })
    expect(await writer.append(reservedCall(parent, 2, { microUsd: 21 }))).toMatchObject({
      verdict: 'refused',
    })
    expect(await writer.append(reservedCall(grandchild, 2, { microUsd: 20 }))).toMatchObject({
      verdict: 'written',
    })
    await expectTrue()
  })
})

test('a rebuild finds a pool that is not what the ledger says, and mends it', async () => {
  await set(tenantDay(1_000))
  const run = await newRun(pool)
  await writer.append(reservedCall(run, 1, { microUsd: 100 }))
  await pool.query('update devflow.budget_slices set used_micro_usd = used_micro_usd + 1')
  const { differences } = await rebuild(database.url, { check: true })
  expect(differences).toMatchObject([
    { table: 'budget_pools', detail: expect.stringContaining('used is 101 micro-dollars and 10 tokens') },
  ])
  await rebuild(database.url, { check: false })
  await expectTrue()
  expect(await writer.append(reservedCall(run, 2, { microUsd: 901 }))).toMatchObject({
    over: { leftMicroUsd: 900 },
  })
})

test('whatever is reserved, settled, set, killed and folded in whatever order, every pool equals the ledger', async () => {
  let day = 1
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          writer: fc.nat(2),
          run: fc.nat(4),
          persona: fc.constantFrom('ann@1', 'ann@2', 'bob@1'),
          micro: fc.nat(400),
          share: fc.nat(12),
          act: fc.constantFrom('reserve', 'reserve', 'settle', 'settle', 'set', 'fold', 'midnight'),
        }),
        { minLength: 20, maxLength: 60 },
      ),
      async (steps) => {
        const writers = [0, 1, 2].map(() => new GroupWriter(database.url, pool))
        const runs = await Promise.all(Array.from({ length: 5 }, () => newRun(pool)))
        const open: { run: string; turn: number; micro: number }[] = []
        let turn = 0
        day += 1
        await clockAt(new Date(Date.UTC(2032, 0, day, 12)).toISOString())
        await set(tenantDay(2_000), {
          scope: 'persona-day',
          persona: 'ann',
          limitMicroUsd: 900,
          onExceeded: 'block',
        })
        const under = new Set<Promise<unknown>>()
        for (const { writer: n, run: m, persona, micro, share, act } of steps) {
          const run = runs[m] ?? ''
          const by = writers[n]
          if (act === 'reserve') {
            turn += 1
            const mine = { run, turn, micro }
            const work = by?.append(reservedCall(run, turn, { microUsd: micro, persona })).then((answer) => {
              if (answer.verdict === 'written') open.push(mine)
            })
            if (work) under.add(work)
          } else if (act === 'settle') {
            const call = open.shift()
            // Now and then a call costs more than it had reserved.
            if (call && by) under.add(by.append(settledCall(call.run, call.turn, (call.micro * share) / 10)))
          } else if (act === 'fold') under.add(foldSlices(pool, '', new Date(Date.now() + 60_000)))
          else {
            await Promise.all(under)
            if (act === 'set')
              await set(tenantDay(1_000 + micro), {
                scope: 'persona-day',
                limitMicroUsd: 700,
                onExceeded: 'block',
              })
            else {
              day += 1
              await clockAt(new Date(Date.UTC(2032, 0, day)).toISOString())
            }
          }
        }
        await Promise.all(under)
        await expectTrue()
        await Promise.all(writers.map((each) => each.close()))
        await expectTrue()
      },
    ),
    { numRuns: 4, endOnFailure: true },
  )
}, 60_000)
