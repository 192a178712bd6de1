import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BudgetSetting, RunPreview } from '@devflow/contracts'
import { savePrices, setBudgets } from '@devflow/db'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi

const persona = (id: string, model: object) => ({
  ...{ kind: 'persona', id, instructions: 'i'.repeat(400) },
  model: { provider: 'openrouter', maxOutputTokens: 1_000, maxTurns: 3, ...model },
})

const cel = (expression: string) => `$\{{ ${expression} }}`
const agent = { role: 'writer', prompt: 'p'.repeat(200) }
const roles = { writer: { persona: 'acme/writer@1' } }

const ENTRIES = [
  persona('acme/writer@1', { name: 'acme/one' }),
  persona('acme/fallback@1', { name: 'acme/one', fallbacks: ['acme/dear', 'acme/one'] }),
  persona('acme/capped@1', { name: 'acme/one', maxTurns: 50, maxTokensTotal: 5_000 }),
  persona('acme/unpriced@1', { name: 'acme/nobody-knows' }),
  persona('acme/scripted@1', { provider: 'scripted', name: 'x', script: { turns: [{ reply: 'x' }] } }),
  {
    ...{ kind: 'template', id: 'acme/one@1', roles },
    phases: [
      { id: 'write', agent },
      { id: 'look', gate: { title: 'Good?' } },
    ],
  },
  { kind: 'template', id: 'acme/told@1', roles, phases: [{ id: 'write', agent }] },
  {
    ...{ kind: 'template', id: 'acme/nested@1', roles },
    phases: [
      { id: 'rounds', cycle: { max: 4, until: cel('iteration > 1'), phases: [{ id: 'write', agent }] } },
      {
        id: 'each',
        map: { over: cel('input.list'), phases: [{ id: 'child', workflow: { template: 'acme/one@1' } }] },
      },
      { id: 'later', map: { over: cel('phases.each.output'), phases: [{ id: 'guess', agent }] } },
    ],
  },
  {
    ...{ kind: 'template', id: 'acme/maybe@1', roles },
    phases: [{ id: 'maybe', when: cel('input.sure'), retry: { maxAttempts: 2 }, agent }],
  },
]

beforeAll(async () => {
  api = await testApi({ OPENROUTER_API_KEY: 'sk-or-v1-test' }, afterAll)
  const changes = ENTRIES.map((entry) => ({ op: 'create', entry }))
  const changed = await api.call('/v1/registry/changes', { json: { changes } })
  expect(changed.status, JSON.stringify(changed.body)).toBe(200)
  await savePrices(api.deps.pool, {
    source: 'list',
    fetchedAt: new Date(),
    prices: [
      { provider: 'openrouter', model: 'acme/one', price: { input: '0.3', output: '1.7' } },
      { provider: 'openrouter', model: 'acme/dear', price: { input: '3', output: '17' } },
    ],
  })
})

const preview = async (more: object = {}): Promise<RunPreview> => {
  const { status, body } = await api.call('/v1/runs/preview', { json: { template: 'acme/one@1', ...more } })
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}
const bound = (writer: string, more: object = {}) => preview({ bindings: { writer }, ...more })
const codes = ({ warnings }: RunPreview) => warnings.map(({ code, blocks }) => [code, blocks])

// 600 characters: 200 tokens at three, 150 at four. One answered token at least, 1,000 at most, three times.
const LOW = 46.7
const HIGH = 5_280
// A call is not sent unless the budget pays 256 tokens of an answer to the 200.
const ADMISSION = 495.2

describe('a preview', () => {
  test('is what the run would be, and costs from one call that says nothing to as many as there may be', async () => {
    const { definitionHash, ...rest } = await preview({ budget: { limitMicroUsd: 6_000 } })
    expect(rest).toEqual({
      bindings: { writer: 'acme/writer@1' },
      phases: [
        {
          ...{ id: 'write', kind: 'agent', persona: 'acme/writer@1', model: 'acme/one' },
          estimate: { tokens: 3_600, microUsd: { low: LOW, high: HIGH } },
        },
        { id: 'look', kind: 'gate', estimate: { tokens: 0, microUsd: { low: 0, high: 0 } } },
      ],
      total: { tokens: 3_600, microUsd: { low: LOW, high: HIGH } },
      budget: { limitMicroUsd: 6_000 },
      warnings: [],
    })
    const { body: run } = await api.call('/v1/runs', { json: { template: 'acme/one@1' } })
    expect(run.definitionHash).toBe(definitionHash)
  })

  test('keeps within the budget, unless that only warns', async () => {
    const limited = await preview({ budget: { limitMicroUsd: 1_000.5, limitTokens: 500 } })
    expect(limited.total).toEqual({ tokens: 500, microUsd: { low: LOW, high: 1_000.5 } })
    expect(limited.phases[0]?.estimate.microUsd.high).toBe(1_000.5)
    const warned = await preview({ budget: { limitMicroUsd: 1_000, onExceeded: 'warn_continue' } })
    expect(warned.total.microUsd.high).toBe(HIGH)
  })

  test('reckons with the dearest fallback, and with fewer calls where tokens are limited', async () => {
    expect((await bound('acme/fallback@1')).total.microUsd).toEqual({ low: LOW, high: 52_800 })
    expect((await bound('acme/capped@1')).total).toMatchObject({ tokens: 6_000, microUsd: { high: 8_800 } })
    expect((await bound('acme/scripted@1')).total.microUsd).toEqual({ low: 0, high: 0 })
  })

  test('counts what may be skipped as nothing, and what may be tried again twice', async () => {
    const { total } = await preview({ template: 'acme/maybe@1' })
    expect(total).toEqual({ tokens: 7_200, microUsd: { low: 0, high: 2 * HIGH } })
  })
})

test('phases inside others follow them, with those of child runs, as often as they are run', async () => {
  const { phases, total, warnings } = await preview({ template: 'acme/nested@1', input: { list: [1, 2, 3] } })
  expect(phases.map(({ id, kind, inside }) => [id, kind, inside])).toEqual([
    ['rounds', 'cycle', undefined],
    ['write', 'agent', 'rounds'],
    ['each', 'map', undefined],
    ['child', 'workflow', 'each'],
    ['child/write', 'agent', 'child'],
    ['child/look', 'gate', 'child'],
    ['later', 'map', undefined],
    ['guess', 'agent', 'later'],
  ])
  const costs = Object.fromEntries(phases.map(({ id, estimate }) => [id, estimate.microUsd]))
  expect(costs).toMatchObject({
    write: { low: LOW, high: 4 * HIGH },
    child: { low: 0, high: 0 },
    'child/write': { low: 140.1, high: 3 * HIGH },
    guess: { low: 0, high: HIGH },
  })
  expect(total.microUsd).toEqual({ low: 186.8, high: 8 * HIGH })
  expect(warnings).toMatchObject([{ code: 'open_ended', phase: 'guess', blocks: false }])
})

describe('what would stop the run is a warning', () => {
  test.each<[budget: object, expected: [string, boolean][]]>([
    [{ limitMicroUsd: ADMISSION }, []],
    [{ limitMicroUsd: 495.199999 }, [['budget_below_estimate', true]]],
    [{ limitMicroUsd: 1, onExceeded: 'warn_continue' }, [['budget_below_estimate', false]]],
    [{ limitMicroUsd: 1, onExceeded: 'prompt' }, [['budget_below_estimate', true]]],
    [{ limitTokens: 456 }, []],
    [{ limitTokens: 455 }, [['token_budget_below_estimate', true]]],
  ])('with the budget %j', async (budget, expected) => {
    expect(codes(await preview({ budget }))).toEqual(expected)
  })

  test('a model without a price, where a limit in money holds', async () => {
    const free = await bound('acme/unpriced@1')
    expect(free.phases[0]?.estimate.microUsd).toEqual({ low: 0 })
    expect(codes(free)).toEqual([['unpriced_model', false]])
    expect(codes(await bound('acme/unpriced@1', { budget: { limitMicroUsd: 9_000 } }))).toEqual([
      ['unpriced_model', true],
    ])
    const allowed = { limitMicroUsd: 9_000, allowUnpriced: true }
    expect(codes(await bound('acme/unpriced@1', { budget: allowed }))).toEqual([['unpriced_model', false]])
  })
})

describe('what earlier runs have cost', () => {
  /** A finished run whose phase cost so much, in two calls. */
  const finishedRun = async (
    template: string,
    cost: number,
    { status = 'completed', as = 'acme/writer@1' } = {},
  ) => {
    const { id } = (await api.call('/v1/runs', { json: { template, bindings: { writer: as } } })).body
    const at = { phase: 'write', attempt: 1 }
    await api.append(
      id,
      { type: 'run.started', key: 'run/started' },
      { type: 'phase.started', key: 'write/1/start', ...at, data: { persona: as } },
    )
    for (const turn of [1, 2]) {
      const key = `write/1/${turn}/call-1`
      const model = { persona: as, provider: 'openrouter', model: 'acme/one' }
      await api.append(
        id,
        {
          ...{ type: 'call.reserved', key: `${key}/reserved`, ...at, turn },
          data: { call: 1, ...model, reservedMicroUsd: 9_999, reservedTokens: 9_999 },
        },
        {
          ...{ type: 'call.settled', key: `${key}/end`, ...at, turn },
          data: {
            ...{ call: 1, status: 'settled', costMicroUsd: turn === 1 ? cost : 0.3, costSource: 'provider' },
            ...{ inputTokens: 100, outputTokens: 10 * cost },
          },
        },
      )
    }
    const error = { kind: 'INTERNAL', code: 'x', message: 'y' }
    await api.append(
      id,
      { type: `phase.${status}`, key: 'write/1/end', ...at, data: status === 'failed' ? { error } : {} },
      {
        type: `run.${status}`,
        key: 'round/1/end',
        data: status === 'failed' ? { phase: 'write', error } : {},
      },
    )
  }
  const template = 'acme/told@1'
  const told = async (more: object = {}) => (await preview({ template, ...more })).phases[0]?.estimate

  test('counts once there are enough runs of the template with that persona', async () => {
    await finishedRun(template, 7_000)
    expect(await told()).toEqual({ tokens: 140_200, microUsd: { low: LOW, high: 7_000.3 }, runs: 1 })
    for (const cost of [1, 2, 3, 4, 5, 6, 7, 8, 9]) await finishedRun(template, cost)
    await finishedRun(template, 100_000, { status: 'failed' })
    await finishedRun(template, 100_000, { as: 'acme/fallback@1' })
    // Of ten runs one was cheaper than what nine have cost at most; the one of 7,000 is the tenth.
    expect(await told()).toEqual({ tokens: 380, microUsd: { low: 1.3, high: 9.3 }, runs: 10 })
    expect(await told({ bindings: { writer: 'acme/capped@1' } })).toEqual(
      (await bound('acme/capped@1')).phases[0]?.estimate,
    )
  })
})

describe('budgets that are shared', () => {
  afterEach(() => setBudgets(api.deps.pool, 'default', 'owner', []))

  test('count with what is left of them today, and fill in what the run does not say', async () => {
    const set = (...budgets: BudgetSetting[]) => setBudgets(api.deps.pool, 'default', 'owner', budgets)
    const day = { scope: 'day', limitMicroUsd: 10_000_000 } as const
    await set({ ...day, onExceeded: 'block' }, { scope: 'run', limitTokens: 9_000, onExceeded: 'prompt' })
    const rich = await preview({ budget: { limitMicroUsd: 8_000 } })
    expect(rich.warnings).toEqual([])
    expect(rich.budget).toEqual({ limitMicroUsd: 8_000, limitTokens: 9_000, onExceeded: 'prompt' })

    const { id } = await api.submit()
    const at = { phase: 'pause', attempt: 1, turn: 1 }
    const spend = (cost: number) =>
      api.append(
        id,
        {
          ...{ type: 'call.reserved', key: 'pause/1/1/call-1/reserved', ...at },
          data: {
            call: 1,
            persona: 'x@1',
            provider: 'openrouter',
            model: 'm',
            reservedMicroUsd: 1,
            reservedTokens: 1,
          },
        },
        {
          ...{ type: 'call.settled', key: 'pause/1/1/call-1/end', ...at },
          data: { call: 1, status: 'settled', costMicroUsd: cost, costSource: 'provider' },
        },
      )
    await spend(90_000)
    // Other tests here have spent some of today's too: the budget is set to what leaves 40, and then nothing.
    const spent = (await api.call('/v1/usage?by=day')).body.items[0].costMicroUsd
    await set({ ...day, limitMicroUsd: spent + 40, onExceeded: 'prompt' })
    expect((await preview()).warnings).toEqual([
      {
        code: 'shared_budget_below_estimate',
        message: `Today's budget has 40 micro-dollars left; this run needs ${ADMISSION} at least.`,
        blocks: true,
      },
    ])
    await set({ ...day, limitMicroUsd: spent - 40, onExceeded: 'warn_continue' })
    expect(codes(await preview())).toEqual([['shared_budget_spent', false]])
    await set({ scope: 'persona-day', persona: 'acme/other@1', limitMicroUsd: 0, onExceeded: 'block' })
    expect(codes(await preview())).toEqual([])
    await set({ scope: 'persona-day', persona: 'acme/capped', limitTokens: 10, onExceeded: 'block' })
    expect((await bound('acme/capped@1')).warnings).toMatchObject([
      {
        code: 'shared_budget_below_estimate',
        message: expect.stringContaining('of acme/capped has 10 tokens'),
      },
    ])
  })

  test('a child counts with what its parent has left', async () => {
    const parent = (await api.submit({ budget: { limitMicroUsd: 40 } })).id
    expect((await preview({ parent })).warnings).toMatchObject([
      {
        code: 'shared_budget_below_estimate',
        message: expect.stringContaining("The parent's budget has 40"),
      },
    ])
  })
})

test.each([
  [{ template: 'acme/none@1' }, 404, 'template_not_found'],
  [{ template: 'test/echo@1', input: {} }, 400, 'invalid_input'],
  [{ template: 'acme/one@1', bindings: { writer: 'acme/none@1' } }, 400, 'binding_failed'],
  [{ template: 'acme/one@1', parent: crypto.randomUUID() }, 404, 'run_not_found'],
  [{ template: 'acme/one@1', workspace: { repo: '/' } }, 403, 'workspace_outside_roots'],
  [{ template: 'acme/one@1', colour: 'red' }, 400, 'invalid'],
])('refuses %j as a submission is refused', async (json, status, code) => {
  const refused = await api.call('/v1/runs/preview', { json })
  expect(refused).toMatchObject({ status, body: { code } })
  expect(await api.call('/v1/runs', { json })).toMatchObject({ status, body: { code } })
})

test('refuses a workspace that another run has for itself', async () => {
  const repo = join(api.folder, 'held')
  await mkdir(join(repo, '.git'), { recursive: true })
  await writeFile(join(repo, '.git/HEAD'), 'ref: refs/heads/main\n')
  const json = { template: 'acme/one@1', workspace: { repo, exclusive: true } }
  expect(await api.call('/v1/runs/preview', { json })).toMatchObject({ status: 200 })
  const { body } = await api.call('/v1/runs', { json })
  const refused = await api.call('/v1/runs/preview', { json })
  expect(refused).toMatchObject({ status: 409, body: { code: 'workspace_busy' } })
  expect(refused.body).toMatchObject({ detail: expect.stringContaining(body.id) })
})

test('writes nothing', async () => {
  const counts = async () => {
    const { rows } = await api.deps.pool.query<{ table: string; rows: string }>(
      `select c.relname as table, (xpath('/row/n/text()', query_to_xml(format('select count(*) as n from devflow.%I', c.relname), false, true, '')))[1]::text as rows
       from pg_class c where c.relnamespace = 'devflow'::regnamespace and c.relkind in ('r', 'p') order by 1`,
    )
    return rows
  }
  const before = await counts()
  await preview({ budget: { limitMicroUsd: 10 }, labels: { team: 'web' } })
  await api.call('/v1/runs/preview', {
    json: { template: 'acme/one@1' },
    headers: { 'idempotency-key': 'preview-1' },
  })
  expect(await counts()).toEqual(before)
})
