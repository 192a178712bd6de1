import type { FakeReply } from '@devflow/testing'
import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { eventOf, eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { agentTemplate } from '../support/templates.ts'

/** Long enough for a provider that knows late, short enough to see what happens when none does. */
const PATIENCE_MS = 1_500

const stack = useStack({ DEVFLOW_CALL_PATIENCE_MS: String(PATIENCE_MS) })

interface Row {
  generation_id: string | null
  status: string
  cost: string | null
  source: string | null
  reserved: string
}

const ledger = async (run: string): Promise<Row[]> =>
  (
    await stack.pool.query<Row>(
      `select generation_id, status, cost_micro_usd as cost, cost_source as source, reserved_micro_usd as reserved
       from devflow.model_calls where run_id = $1 order by at`,
      [run],
    )
  ).rows

const budget = async (run: string): Promise<{ reserved: string; settled: string }> =>
  (
    await stack.pool.query(
      'select reserved_micro_usd as reserved, settled_micro_usd as settled from devflow.run_budgets where run_id = $1',
      [run],
    )
  ).rows[0]

const requestsOf = (run: string) => stack.fake.requests.filter(({ session }) => session.startsWith(run))

/** Waits until every call of the run has a cost. */
const settled = (run: string) =>
  eventually(
    () => ledger(run),
    (rows) => rows.length > 0 && rows.every(({ cost }) => cost !== null),
  )

/** Millionths of a micro-dollar: sums must be exact. */
const exact = (microUsd: number | string) => BigInt(Math.round(Number(microUsd) * 1e6))
const sum = (amounts: (number | string)[]) => amounts.reduce((all, one) => all + exact(one), 0n)

/** Replies to the requests of each session, one after the other. */
const replies = (...given: FakeReply[]) =>
  stack.fake.script(({ nInSession }) => given[nInSession - 1] ?? { content: 'Done.' })

const look = { toolCalls: [{ name: 'list_dir', arguments: { path: '.' } }] }
const slow = { content: 'many words '.repeat(500), chunks: 400, chunkDelayMs: 20 }

const streaming = (run: string, nth: number) =>
  eventually(
    async () => requestsOf(run)[nth - 1]?.producedTokens ?? 0,
    (tokens) => tokens > 0,
  )

test('the ledger is the provider’s own, call by call: answered, failed, broken off, lost with a killed worker, aborted', async () => {
  replies(
    { scenario: '502' },
    { ...look, cost: '4.51e-06' },
    { scenario: 'rst_mid_tool', generationMisses: 2 },
    { ...look, scenario: 'usage_missing' },
    { scenario: 'err_with_usage' },
    { ...look, cost: '3e-07', usage: { promptTokens: 275, cachedTokens: 192, completionTokens: 10 } },
    { ...slow, generationMisses: 2 },
    { ...look, cost: '0' },
    { ...slow, generationMisses: 1 },
  )
  const run = await stack.submit(agentTemplate('Work.'), { budget: { limitMicroUsd: 100_000 } })
  await streaming(run, 7)
  await stack.untilEvent(run, 'call.started', 6)
  await stack.worker.kill()
  await stack.startWorker()
  await streaming(run, 9)
  await stack.untilEvent(run, 'call.started', 8)
  await stack.command(run, 'cancel')
  await stack.untilStatus(run, 'canceled')

  const rows = await settled(run)
  const requests = requestsOf(run)
  expect(rows).toHaveLength(9)
  expect(requests).toHaveLength(9)
  for (const request of requests) {
    const row = rows.find(({ generation_id }) => generation_id === request.id) ?? rows[request.n - 1]
    expect({ id: request.id, cost: exact(row?.cost ?? -1), source: row?.source }).toEqual({
      id: request.id,
      cost: exact(request.billedMicroUsd),
      source: 'provider',
    })
  }
  expect(requests[6]?.billedMicroUsd).toBeGreaterThan(0)
  expect(requests[8]?.billedMicroUsd).toBeGreaterThan(0)
  expect(rows.map(({ status }) => status)).toEqual([
    'failed',
    'settled',
    'settled',
    'settled',
    'failed',
    'settled',
    'settled',
    'settled',
    'aborted',
  ])
  const { reserved, settled: paid } = await budget(run)
  expect(Number(reserved)).toBe(0)
  expect(exact(paid)).toBe(sum(requests.map(({ billedMicroUsd }) => billedMicroUsd)))
})

test('what the provider never tells is charged the reservation, after the run is over too', async () => {
  replies({ scenario: 'generation_never' })
  const run = await stack.submit(agentTemplate('Work.'), { budget: { limitMicroUsd: 100_000 } })
  const before = await stack.untilStatus(run, 'completed')
  expect(eventsOf(before, 'call.reconciled')).toHaveLength(0)
  const [row] = await settled(run)
  expect(row).toMatchObject({ status: 'settled', source: 'estimate', cost: row?.reserved })
  expect(Number(row?.cost)).toBeGreaterThan(0)
  expect(await budget(run)).toEqual({ reserved: '0', settled: row?.cost })
  expect(eventOf(await stack.standing(run), 'call.reconciled').data).toMatchObject({ costSource: 'estimate' })
})

test('where the provider tells tokens and no cost, the price list does: cached and reasoning tokens count once', async () => {
  const mini = `
kind: persona
id: mini@1
model: { provider: openrouter, name: openai/gpt-4o-mini, maxOutputTokens: 100 }
instructions: Work.
`
  replies({
    content: 'Done.',
    cost: 'null',
    usage: { promptTokens: 275, cachedTokens: 192, completionTokens: 10, reasoningTokens: 11 },
  })
  const run = await stack.submit(`${agentTemplate('Work.').replace('agent@1', 'mini@1')}\n---${mini}`)
  await stack.untilStatus(run, 'completed')
  const [row] = await settled(run)
  // 83 × 0.15 + 192 × 0.075 + 10 × 0.6
  expect(row).toMatchObject({ cost: '32.85', source: 'pricing' })
})
