import { randomUUIDv7 } from 'node:crypto'
import { USAGE_BY, type UsageBy } from '@devflow/contracts'
import fc from 'fast-check'
import type pg from 'pg'
import { expect, test } from 'vitest'
import type { EventLine } from '../append-types.ts'
import { setBudgets } from '../budgets/index.ts'
import { eraseRun } from '../command/index.ts'
import type { GroupWriter } from '../group-writer.ts'
import { rebuild } from '../rebuild.ts'
import { useLog } from '../testing-log.ts'
import { newRun } from '../testing-runs.ts'
import { readUsage, type UsageQuery, type UsageSum } from './read-usage.ts'

let url: string
let pool: pg.Pool
let writer: GroupWriter
useLog((log) => {
  ;({ url, pool, writer } = log)
})

const FIGURES = ['calls', 'inputTokens', 'outputTokens', 'cachedTokens', 'reasoningTokens'] as const

type Totals = Record<(typeof FIGURES)[number], number> & { costMicroUsd: string; unsettledMicroUsd: string }

/** In millionths, which no sum of them loses. */
const millionths = (decimal: string): bigint => {
  const [whole = '', fraction = ''] = decimal.split('.')
  return BigInt(whole + fraction.padEnd(6, '0'))
}

/** The test's own sums. */
function totalOf(items: readonly Totals[]) {
  const money = (read: (item: Totals) => string) =>
    items.reduce((total, item) => total + millionths(read(item)), 0n)
  return {
    ...Object.fromEntries(
      FIGURES.map((name) => [name, items.reduce((total, item) => total + item[name], 0)]),
    ),
    cost: money((item) => item.costMicroUsd),
    unsettled: money((item) => item.unsettledMicroUsd),
  }
}

async function usage(
  query: Omit<UsageQuery, 'tenant'> & { tenant?: string },
  limit = 3,
): Promise<UsageSum[]> {
  const items: UsageSum[] = []
  for (let cursor: string | undefined, more = true; more; ) {
    const page = await readUsage(
      pool,
      { tenant: 'default', ...query },
      { limit, ...(cursor ? { cursor } : {}) },
    )
    items.push(...page.items)
    cursor = page.nextCursor
    more = cursor !== undefined
  }
  return items
}

/** An amount as a provider may bill it: nothing, fractions of a micro-dollar, and more digits than a double has. */
const amount = fc.oneof(
  fc.constantFrom('0', '4.51', '0.3', '0.000001', '123456789012.123456'),
  fc
    .tuple(fc.integer({ min: 0, max: 2_000_000 }), fc.integer({ min: 0, max: 999_999 }))
    .map(([whole, part]) => `${whole}.${String(part).padStart(6, '0')}`),
)
const tokens = fc.integer({ min: 0, max: 2_000_000 })
const call = fc.record({
  persona: fc.constantFrom('writer@1', 'reviewer@1', 'writer@2'),
  provider: fc.constantFrom('openrouter', 'ollama'),
  model: fc.constantFrom('a/b', 'a/b-2', 'c'),
  modelUsed: fc.constantFrom(undefined, 'a/b', 'a/b-2:dated', 'x'.repeat(3_000)),
  end: fc.constantFrom('settled', 'failed', 'aborted', 'unsettled', 'reconciled', 'corrected', 'none'),
  reserved: amount,
  cost: amount,
  later: amount,
  input: tokens,
  output: tokens,
  cached: fc.option(tokens, { nil: undefined }),
  reasoning: fc.option(tokens, { nil: undefined }),
  daysAgo: fc.integer({ min: 0, max: 3 }),
})
type RandomCall = typeof call extends fc.Arbitrary<infer Value> ? Value : never
const run = fc.record({
  template: fc.constantFrom('one@1', 'one@2', 'house/two@1'),
  labels: fc.constantFrom<Record<string, string>>(
    {},
    { team: 'web' },
    { team: '' },
    { team: '=cmd', other: 'x' },
  ),
  calls: fc.array(call, { maxLength: 6 }),
  isDeleted: fc.boolean(),
})

/** Raw JSON numbers, for amounts that a double would spoil: the log keeps what the text says. */
const raw = (text: string) => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)

async function append(runId: string, ...lines: EventLine[]): Promise<void> {
  expect(await writer.append({ run: runId, lines })).toMatchObject({ verdict: 'written' })
}

async function write(runId: string, turn: number, each: RandomCall): Promise<Totals> {
  const at = { phase: 'p', attempt: 1, turn }
  const counts = {
    inputTokens: each.input,
    outputTokens: each.output,
    cachedTokens: each.cached,
    reasoningTokens: each.reasoning,
  }
  const paid = (cost: string) => ({
    call: 1,
    costMicroUsd: raw(cost),
    costSource: 'provider',
    modelUsed: each.modelUsed,
    ...counts,
  })
  const line = (type: EventLine['type'], key: string, data: Record<string, unknown>): EventLine => ({
    ...{ type, ...at, key: `p/1/${turn}/call-1/${key}`, data },
  })
  const { persona, provider, model } = each
  const reserved = {
    call: 1,
    persona,
    provider,
    model,
    reservedMicroUsd: raw(each.reserved),
    reservedTokens: 1,
  }
  await append(runId, line('call.reserved', 'reserved', reserved))
  if (each.end === 'unsettled' || each.end === 'reconciled')
    await append(runId, line('call.lost', 'end', { call: 1, status: 'unsettled' }))
  else if (each.end !== 'none') {
    const status = each.end === 'corrected' ? 'settled' : each.end
    await append(runId, line('call.settled', 'end', { ...paid(each.cost), status }))
  }
  const isLate = each.end === 'reconciled' || each.end === 'corrected'
  if (isLate) await append(runId, line('call.reconciled', 'reconciled', paid(each.later)))
  const isOpen = each.end === 'unsettled' || each.end === 'none'
  return {
    calls: 1,
    inputTokens: isOpen ? 0 : each.input,
    outputTokens: isOpen ? 0 : each.output,
    cachedTokens: isOpen ? 0 : (each.cached ?? 0),
    reasoningTokens: isOpen ? 0 : (each.reasoning ?? 0),
    costMicroUsd: isOpen ? '0' : isLate ? each.later : each.cost,
    unsettledMicroUsd: isOpen ? each.reserved : '0',
  }
}

test('by whatever it is asked for, the items sum up to the ledger exactly, also once runs are deleted', async () => {
  const all: Totals[] = []
  await fc.assert(
    fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 4 }), async (runs) => {
      for (const { template, labels, calls, isDeleted } of runs) {
        const id = await newRun(pool, { template, labels })
        const written: Totals[] = []
        for (const [index, each] of calls.entries()) written.push(await write(id, index + 1, each))
        if (isDeleted) {
          await append(id, { type: 'run.completed', key: 'round/1/end' })
          expect(await eraseRun(pool, id, 'owner')).toBe('done')
        }
        // Of a deleted run nobody can learn any more what a call has cost: it is charged what it had reserved.
        all.push(
          ...written.map((one) =>
            isDeleted && one.unsettledMicroUsd !== '0'
              ? { ...one, costMicroUsd: one.unsettledMicroUsd, unsettledMicroUsd: '0' }
              : one,
          ),
        )
        await pool.query(
          `update devflow.model_calls set at = at - (($2::int[])[turn] || ' days')::interval where run_id = $1`,
          [id, calls.map(({ daysAgo }) => daysAgo)],
        )
      }
      const expected = totalOf(all)
      for (const by of USAGE_BY) {
        const items = await usage({ by, label: 'team' })
        expect(totalOf(items), by).toEqual(expected)
        expect(new Set(items.map(({ key, provider }) => `${key} ${provider}`)).size, by).toBe(items.length)
      }
    }),
    { numRuns: 15 },
  )
  expect((await usage({ by: 'run' })).some(({ deleted }) => deleted)).toBe(true)
})

const paidCall = (turn: number, cost: number, more: Record<string, unknown> = {}): EventLine[] => {
  const at = { phase: 'p', attempt: 1, turn }
  const data = { call: 1, persona: 'writer@1', provider: 'openrouter', model: 'a/b', ...more }
  return [
    {
      ...{ type: 'call.reserved', key: `p/1/${turn}/call-1/reserved`, ...at },
      data: { ...data, reservedMicroUsd: 10, reservedTokens: 1 },
    },
    {
      ...{ type: 'call.settled', key: `p/1/${turn}/call-1/end`, ...at },
      data: { call: 1, status: 'settled', costMicroUsd: cost, costSource: 'provider', inputTokens: 1 },
    },
  ]
}

/** A tenant of its own, so that what other tests wrote is out of the way. */
async function paidRun(
  tenant: string,
  costs: number[],
  more: { template?: string; labels?: Record<string, string> } = {},
): Promise<string> {
  const id = await newRun(pool, { ...more, tenant })
  for (const [index, cost] of costs.entries()) await append(id, ...paidCall(index + 1, cost))
  return id
}

const keysAndCosts = (items: readonly UsageSum[]) => items.map((item) => [item.key, item.costMicroUsd])

test('a call counts on the UTC day of its reservation, at whatever hour and wherever Postgres thinks it is', async () => {
  const tenant = randomUUIDv7()
  const id = await paidRun(tenant, [1, 2, 4, 8])
  await pool.query(
    `update devflow.model_calls set at = (array['2030-01-31T00:00:00Z', '2030-01-31T23:59:59.999Z', '2030-02-01T00:00:00Z', '2030-02-02T12:00:00Z'])[turn]::timestamptz
     where run_id = $1`,
    [id],
  )
  const client = await pool.connect()
  try {
    await client.query(`set timezone = 'Asia/Seoul'`)
    const page = await readUsage(client, { tenant, by: 'day' }, { limit: 10 })
    expect(keysAndCosts(page.items)).toEqual([
      ['2030-02-02', '8'],
      ['2030-02-01', '4'],
      ['2030-01-31', '3'],
    ])
  } finally {
    await client.query('reset timezone')
    client.release()
  }
  const between = { from: new Date('2030-01-31T12:00:00Z'), to: new Date('2030-02-02T12:00:00Z') }
  for (const by of USAGE_BY)
    expect(totalOf(await usage({ tenant, by, label: 'team', ...between })).cost, by).toBe(6_000_000n)
})

test('runs and days come newest first, all else in the order of its text, page by page without a gap', async () => {
  const tenant = randomUUIDv7()
  const runs = [
    await paidRun(tenant, [1], { template: 'b@1', labels: { team: 'web' } }),
    await paidRun(tenant, [2], { template: 'a@1' }),
    await paidRun(tenant, [4], { template: 'b@1', labels: { team: '' } }),
    await paidRun(tenant, [8], { template: 'c@1', labels: { team: 'apps' } }),
  ]
  expect(await usage({ tenant, by: 'run' }, 1)).toMatchObject(
    [3, 2, 1, 0].map((index) => ({ key: runs[index], calls: 1, costMicroUsd: String(2 ** index) })),
  )
  expect(keysAndCosts(await usage({ tenant, by: 'template' }, 1))).toEqual([
    ['a@1', '2'],
    ['b@1', '5'],
    ['c@1', '8'],
  ])
  expect(keysAndCosts(await usage({ tenant, by: 'label', label: 'team' }, 1))).toEqual([
    [undefined, '2'],
    ['', '4'],
    ['apps', '8'],
    ['web', '1'],
  ])
  expect(keysAndCosts(await usage({ tenant, by: 'label', label: 'nobody has it' }))).toEqual([
    [undefined, '15'],
  ])
})

test('a cursor of one list is none of another', async () => {
  const tenant = randomUUIDv7()
  await paidRun(tenant, [1])
  await paidRun(tenant, [1])
  const { nextCursor } = await readUsage(pool, { tenant, by: 'run' }, { limit: 1 })
  const others: UsageBy[] = ['model', 'day']
  for (const by of others)
    await expect(
      readUsage(pool, { tenant, by }, { limit: 1, cursor: nextCursor ?? '' }),
    ).rejects.toMatchObject({
      code: 'bad_cursor',
    })
})

test('what is left of a deleted run is accounted as before, and the log is still found whole', async () => {
  const tenant = randomUUIDv7()
  const id = await paidRun(tenant, [4.51, 0.3], { template: 'gone@1', labels: { team: 'web' } })
  const asked = USAGE_BY.map((by) => ({ tenant, by, label: 'team' }))
  const before = await Promise.all(asked.map((query) => usage(query)))
  await append(id, { type: 'run.completed', key: 'round/1/end' })
  expect(await eraseRun(pool, id, 'owner')).toBe('done')
  const after = await Promise.all(asked.map((query) => usage(query)))
  expect(after.flat().map(({ deleted, ...rest }) => rest)).toEqual(before.flat())
  expect(await usage({ tenant, by: 'run' })).toMatchObject([{ key: id, template: 'gone@1', deleted: true }])
  // Other tests here have moved calls to other days; this one is as the log said.
  const { differences } = await rebuild(url, { check: true })
  expect(differences.filter(({ runId }) => runId === id)).toEqual([])
})

test('a shared budget stays charged with what a deleted run has cost, and with what nobody said it cost', async () => {
  const tenant = randomUUIDv7()
  const id = await paidRun(tenant, [4.51])
  await setBudgets(pool, tenant, 'owner', [
    { scope: 'tenant-day', limitMicroUsd: 1_000, onExceeded: 'block' },
  ])
  const [reserved] = paidCall(2, 0)
  if (reserved) await append(id, reserved)
  await append(id, { type: 'run.completed', key: 'round/1/end' })
  expect(await eraseRun(pool, id, 'owner')).toBe('done')
  const { rows } = await pool.query(
    'select used_micro_usd as used, ledger_micro_usd as ledger from devflow.pools_and_ledger() where tenant = $1',
    [tenant],
  )
  expect(rows).toEqual([{ used: '14.51', ledger: '14.51' }])
  expect(totalOf(await usage({ tenant, by: 'day' }))).toMatchObject({ cost: 14_510_000n, unsettled: 0n })
})
