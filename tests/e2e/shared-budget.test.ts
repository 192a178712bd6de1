import { DEFAULT_TENANT } from '@devflow/contracts'
import { readRun, setBudgets } from '@devflow/db'
import { afterEach, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { eventsOf, statusesOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { agentTemplate } from '../support/templates.ts'

const stack = useStack()

/** Two agents side by side, and perhaps one before them in a run of its own, on one budget. */
const together = (first = '') => `
kind: template
id: together@1
roles: { worker: { persona: agent@1 } }
phases:
${first}
  - id: both
    parallel:
      branches:
        - [{ id: left, agent: { role: worker, prompt: "[turns=5]" } }]
        - [{ id: right, agent: { role: worker, prompt: "[turns=5]" } }]
`
const child = `---
kind: template
id: child@1
roles: { worker: { persona: agent@1 } }
phases:
  - { id: work, agent: { role: worker, prompt: "[turns=2]" } }
`
const billed = (runs: readonly string[]) =>
  stack.fake.requests
    .filter(({ session }) => runs.some((run) => session.startsWith(run)))
    .reduce((sum, { billedMicroUsd }) => sum + billedMicroUsd, 0)

describe('branches that spend from one budget', () => {
  test('wait for it together, and go on together once it is raised', async () => {
    const run = await stack.submit(together(), { budget: { limitMicroUsd: 900, onExceeded: 'prompt' } })
    const waiting = await stack.untilStatus(run, 'waiting')
    expect(billed([run])).toBeLessThanOrEqual(900)
    expect(eventsOf(waiting, 'gate.opened').length).toBeGreaterThanOrEqual(1)
    for (let raised = 0; raised < 6; raised += 1) {
      const now = await stack.untilStatus(run, 'waiting', 'completed', 'failed')
      if (now.status !== 'waiting') break
      const view = await readRun(stack.pool, DEFAULT_TENANT, run)
      const gates = view?.waitingFor?.filter(({ kind }) => kind === 'gate') ?? []
      expect(gates.length).toBeGreaterThanOrEqual(1)
      for (const { id } of gates) await stack.decide(run, id)
      await stack.until(
        run,
        ({ status, types }) => status !== 'waiting' || types.length > now.types.length + 4,
      )
    }
    const end = await stack.untilStatus(run, 'completed', 'failed')
    expect(end.error).toBe(null)
    expect(statusesOf(end)).toEqual({ both: 'completed', left: 'completed', right: 'completed' })
    expect(eventsOf(end, 'turn.completed')).toHaveLength(12)
  })

  test('fail with it when somebody refuses to raise it, also where a failure is passed over', async () => {
    const may = together().replaceAll('"[turns=5]" } }', '"[turns=5]" }, onError: continue }')
    const run = await stack.submit(may, { budget: { limitMicroUsd: 900, onExceeded: 'prompt' } })
    await stack.untilStatus(run, 'waiting')
    const gates = (await readRun(stack.pool, DEFAULT_TENANT, run))?.waitingFor ?? []
    for (const { id } of gates) await stack.decide(run, id, { decision: 'reject' })
    const end = await stack.untilStatus(run, 'completed', 'failed')
    expect(end.error?.code).toBe('budget_exceeded')
    expect(statusesOf(end).both).toBe('failed')
  })

  test('never spend more than it holds, a child run among them', async () => {
    const run = await stack.submit(together('  - { id: sub, workflow: { template: child@1 } }') + child, {
      budget: { limitMicroUsd: 1_500, onExceeded: 'block' },
    })
    const end = await stack.untilStatus(run, 'failed')
    const started = eventsOf(end, 'child.started').map(({ data }) => String(data.run))
    stack.runs.push(...started)
    expect(end.error?.code).toBe('budget_exceeded')
    expect(billed([run, ...started])).toBeLessThanOrEqual(1_500)
    expect(billed(started)).toBeGreaterThan(0)
  })
})

describe('a shared budget that asks, smaller than a call', () => {
  afterEach(() => setBudgets(stack.pool, DEFAULT_TENANT, 'owner', []))

  /** Approves whatever is asked until the run is over; how often that was, with the budgets that were told. */
  const approvedToTheEnd = async (run: string): Promise<string[]> => {
    const titles: string[] = []
    const status = await eventually(
      async () => {
        const { rows } = await stack.pool.query<{ run: string; id: string; title: string }>(
          "select run_id as run, id, title from devflow.gates where status = 'open' and budget is not null",
        )
        for (const gate of rows) {
          expect(await stack.decide(gate.run, gate.id)).toBe('accepted')
          titles.push(`${gate.run === run ? 'run' : 'child'}: ${gate.title}`)
        }
        return (await stack.standing(run)).status
      },
      (now) => now === 'completed' || now === 'failed' || titles.length > 40,
    )
    expect(status).toBe('completed')
    return titles
  }

  test('is asked for until it holds the call: each approval lets the run have so much more', async () => {
    await setBudgets(stack.pool, DEFAULT_TENANT, 'owner', [
      { scope: 'persona-day', persona: 'agent', limitMicroUsd: 150, onExceeded: 'prompt' },
    ])
    const run = await stack.submit(agentTemplate('[turns=2]'))
    const titles = await approvedToTheEnd(run)
    expect(titles.length).toBeGreaterThan(1)
    expect(billed([run])).toBeLessThanOrEqual(150 * (titles.length + 1))
    expect(titles[0]).toContain('budget of agent on the day')
  })

  test('of a run and a child is raised for both at the run, and for the child alone at the child', async () => {
    const run = await stack.submit(together('  - { id: sub, workflow: { template: child@1 } }') + child, {
      budget: { limitMicroUsd: 300, onExceeded: 'prompt' },
    })
    const titles = await approvedToTheEnd(run)
    stack.runs.push(
      ...eventsOf(await stack.standing(run), 'child.started').map(({ data }) => String(data.run)),
    )
    expect(titles.some((title) => title.startsWith("run: The run's budget of"))).toBe(true)
    expect(
      titles.some((title) => title.startsWith('child: The budget that the run shares with its parent')),
    ).toBe(true)
  })
})
