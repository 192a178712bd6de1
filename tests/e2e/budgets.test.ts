import { DEFAULT_TENANT } from '@devflow/contracts'
import { readGate, readRun, setBudgets } from '@devflow/db'
import { afterEach, describe, expect, test } from 'vitest'
import { eventOf, eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { agentTemplate } from '../support/templates.ts'

const stack = useStack()

const requestsOf = (run: string) => stack.fake.requests.filter(({ session }) => session.startsWith(run))
const billed = (run: string) => requestsOf(run).reduce((sum, { billedMicroUsd }) => sum + billedMicroUsd, 0)
const view = (run: string) => readRun(stack.pool, DEFAULT_TENANT, run)
const countOf = (types: readonly string[], type: string) => types.filter((each) => each === type).length

describe.concurrent('a budget that blocks', () => {
  test('pays a shorter answer before it pays none, and fails the phase without a cent too much', async () => {
    const whole = await stack.finish(agentTemplate('[turns=10]'))
    const limit = Number(eventsOf(whole, 'call.reserved')[0]?.data.reservedMicroUsd) - 100
    const run = await stack.submit(agentTemplate('[turns=30]'), { budget: { limitMicroUsd: limit } })
    const end = await stack.untilStatus(run, 'failed')
    expect(end.error).toMatchObject({ kind: 'RATE_LIMITED', code: 'budget_exceeded' })
    const [cap] = requestsOf(run).map(({ body }) => Number(body.max_tokens))
    // The persona asks for 500.
    expect(cap).toBeLessThan(500)
    expect(cap).toBeGreaterThanOrEqual(256)
    const reserved = Number(eventsOf(end, 'call.reserved')[0]?.data.reservedMicroUsd)
    // All that is left, but for less than what one more token costs.
    expect(limit - reserved).toBeGreaterThanOrEqual(0)
    expect(limit - reserved).toBeLessThan(0.9)
    expect(billed(run)).toBeLessThanOrEqual(limit)
    const { budget } = (await view(run)) ?? {}
    expect(budget).toMatchObject({ limitMicroUsd: limit, reservedMicroUsd: 0 })
    expect(budget?.spentMicroUsd).toBeCloseTo(billed(run), 6)
  })

  test('in tokens says so, and is not tried again', async () => {
    const end = await stack.finish(
      agentTemplate('[turns=30]', { phase: 'retry: { maxAttempts: 3, backoff: PT0.01S }' }),
      { budget: { limitTokens: 3_000 } },
    )
    expect(end.error).toMatchObject({ kind: 'RATE_LIMITED', code: 'token_budget_exceeded' })
    expect(end.types).not.toContain('phase.retried')
  })
})

test('a budget that only warns says so once, and the run goes on', async () => {
  const run = await stack.submit(agentTemplate('[turns=4]'), {
    budget: { limitMicroUsd: 600, onExceeded: 'warn_continue' },
  })
  const end = await stack.untilStatus(run, 'completed')
  expect(eventOf(end, 'budget.warned').data).toMatchObject({
    scope: 'run',
    limitMicroUsd: 600,
    exceeded: ['money'],
  })
  expect(requestsOf(run).every(({ body }) => body.max_tokens === 500)).toBe(true)
  expect(requestsOf(run)).toHaveLength(5)
})

describe('a budget that asks', () => {
  test('lets the run wait at its gate with nothing held, and go on with the same attempt once raised; then again', async () => {
    const run = await stack.submit(agentTemplate('[turns=6]'), {
      budget: { limitMicroUsd: 800, onExceeded: 'prompt' },
    })
    await stack.untilStatus(run, 'waiting')
    const waiting = await view(run)
    expect(waiting?.waitingFor).toMatchObject([{ kind: 'gate', id: 'budget' }])
    expect(waiting?.phases).toMatchObject([{ id: 'work', status: 'waiting', attempt: 1 }])
    expect(waiting?.budget).toMatchObject({ limitMicroUsd: 800, reservedMicroUsd: 0 })
    expect(await readGate(stack.pool, run, 'budget')).toMatchObject({
      phase: 'work',
      status: 'open',
      quorum: 1,
    })
    expect(billed(run)).toBeLessThanOrEqual(800)

    // Decided with no worker there: the row is what counts.
    await stack.stopWorker()
    expect(await stack.decide(run, 'budget', { raiseToMicroUsd: 800 })).toBe('raise_too_low')
    expect(await stack.decide(run, 'budget')).toBe('accepted')
    expect(await stack.decide(run, 'budget')).toBe('repeated')
    expect((await view(run))?.budget).toMatchObject({ limitMicroUsd: 1_600, raisedMicroUsd: 800 })
    await stack.startWorker()

    await stack.untilEvent(run, 'gate.opened', 2)
    const before = requestsOf(run).length
    expect(await stack.decide(run, 'budget-2', { raiseToMicroUsd: 1_000_000 })).toBe('accepted')
    const end = await stack.untilStatus(run, 'completed')
    expect(requestsOf(run).length).toBeGreaterThan(before)
    expect(end.phases.work).toMatchObject({ status: 'completed', attempt: 1 })
    expect(eventsOf(end, 'gate.opened').map(({ data }) => data.gate)).toEqual(['budget', 'budget-2'])
    expect(eventsOf(end, 'budget.raised').map(({ data }) => data.limitMicroUsd)).toEqual([1_600, 1_000_000])
    expect(countOf(end.types, 'turn.completed')).toBe(requestsOf(run).length)
    expect((await view(run))?.budget).toMatchObject({ limitMicroUsd: 1_000_000, raisedMicroUsd: 999_200 })
  })

  test('fails the run when it is rejected, also where the template would go on', async () => {
    const run = await stack.submit(
      agentTemplate('[turns=6]', {
        phase: 'onError: continue',
        then: '  - { id: nap, wait: { for: PT0.01S } }',
      }),
      { budget: { limitMicroUsd: 500, onExceeded: 'prompt' } },
    )
    await stack.untilEvent(run, 'gate.opened')
    expect(await stack.decide(run, 'budget', { decision: 'reject' })).toBe('accepted')
    const end = await stack.untilStatus(run, 'failed', 'completed')
    expect(end.status).toBe('failed')
    expect(end.error).toMatchObject({ code: 'budget_exceeded' })
    expect(end.types).not.toContain('budget.raised')
  })

  test('asks once for branches that run side by side, and lets all of them go on', async () => {
    const branch = (id: string) => `[{ id: ${id}, agent: { role: worker, prompt: "[turns=1]" } }]`
    const run = await stack.submit(
      `
kind: template
id: branches@1
roles: { worker: { persona: agent@1 } }
phases:
  - { id: both, parallel: { branches: [${branch('left')}, ${branch('right')}] } }
`,
      { budget: { limitMicroUsd: 1, onExceeded: 'prompt' } },
    )
    await stack.until(run, ({ types }) => countOf(types, 'budget.exceeded') === 2)
    await stack.untilStatus(run, 'waiting')
    expect((await view(run))?.waitingFor).toMatchObject([{ kind: 'gate', id: 'budget' }])
    expect(await stack.decide(run, 'budget', { raiseToMicroUsd: 100_000 })).toBe('accepted')
    const end = await stack.untilStatus(run, 'completed')
    expect(eventsOf(end, 'gate.opened')).toHaveLength(1)
  })

  test('is canceled like any other wait', async () => {
    const run = await stack.submit(agentTemplate('[turns=6]'), {
      budget: { limitMicroUsd: 1, onExceeded: 'prompt' },
    })
    await stack.untilStatus(run, 'waiting')
    await stack.command(run, 'cancel')
    const end = await stack.untilStatus(run, 'canceled')
    expect(eventOf(end, 'gate.closed')).toMatchObject({
      phase: 'work',
      data: { gate: 'budget', status: 'canceled' },
    })
    expect(requestsOf(run)).toHaveLength(0)
  })
})

describe('a shared budget', () => {
  afterEach(() => setBudgets(stack.pool, DEFAULT_TENANT, 'owner', []))

  test('lets the one run past it that was approved, and nobody else', async () => {
    await setBudgets(stack.pool, DEFAULT_TENANT, 'owner', [
      { scope: 'persona-day', persona: 'agent', limitMicroUsd: 100, onExceeded: 'prompt' },
    ])
    const [one, two] = await Promise.all([
      stack.submit(agentTemplate('[turns=1]')),
      stack.submit(agentTemplate('[turns=1]')),
    ])
    await Promise.all([stack.untilStatus(one, 'waiting'), stack.untilStatus(two, 'waiting')])
    expect(await stack.decide(one, 'budget', { raiseToMicroUsd: 100 })).toBe('raise_too_low')
    const refused = { decision: 'reject', raiseToMicroUsd: 50_000 } as const
    expect(await stack.decide(one, 'budget', refused)).toBe('raise_too_low')
    expect(await stack.decide(one, 'budget', { raiseToMicroUsd: 50_000 })).toBe('accepted')
    const end = await stack.untilStatus(one, 'completed')
    expect(eventOf(end, 'budget.raised').data).toMatchObject({ scope: 'persona-day', raisedMicroUsd: 49_900 })
    expect((await view(two))?.status).toBe('waiting')
    expect(await stack.decide(two, 'budget', { decision: 'reject' })).toBe('accepted')
    expect((await stack.untilStatus(two, 'failed')).error?.code).toBe('budget_exceeded')
    expect(requestsOf(two)).toHaveLength(0)
  })
})
