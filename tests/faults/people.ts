import { setTimeout as pause } from 'node:timers/promises'
import { CHANNELS } from '@devflow/contracts'
import { decideGate } from '@devflow/db'
import { call } from '../crash/runs.ts'
import type { Stack } from '../crash/stack.ts'
import { allSteps, type Case, commentAt, type GateStep, nth, type Step } from './case.ts'
import { signalOf, topicOf } from './entries.ts'

interface Waiting {
  run: string
  template: string
  id: string
  attempt: number
}

/**
 * The people and systems outside: decides gates, sends signals, publishes events, and raises or refuses budgets as the
 * cases say, wherever a run waits for one, until told to stop. What it does once more after a kill has the same key.
 */
export async function attend(stack: Stack, cases: readonly Case[], isOver: () => boolean): Promise<void> {
  const steps = new Map<string, { found: Case; step: Step }>()
  for (const found of cases)
    for (const template of [found.template, ...found.children])
      for (const step of allSteps(template.steps)) steps.set(`${template.id} ${step.name}`, { found, step })
  const budgets = new Map(
    cases.flatMap(({ template, children, budget }) =>
      [template, ...children].map(({ id }) => [id, budget] as const),
    ),
  )
  const served = new Set<string>()
  while (!isOver()) {
    for (const waiting of await whoWaits(stack)) {
      const key = `${waiting.run}/${waiting.id}/${waiting.attempt}`
      const known = steps.get(`${waiting.template} ${waiting.id.replace(/[[#].*$/s, '')}`)
      if (!known || served.has(key)) continue
      served.add(key)
      await serve(stack, waiting, known.found, known.step, key)
    }
    for (const { run, template, id } of await openBudgetGates(stack)) {
      const { refusedAt = Number.POSITIVE_INFINITY } = budgets.get(template) ?? {}
      const decision = Number(id.split('-')[1] ?? 1) < refusedAt ? 'approve' : 'reject'
      await post(stack, `/v1/runs/${run}/gates/${id}/decisions`, { decision }, `${run}/${id}`)
    }
    await pause(100)
  }
}

async function whoWaits({ pool }: Stack): Promise<Waiting[]> {
  const query = `select p.run_id as run, r.template, p.id, p.attempt from devflow.phases p join devflow.runs r on r.id = p.run_id
    where p.status = 'waiting' order by random()`
  // Postgres may be away.
  return (await pool.query<Waiting>(query).catch(() => ({ rows: [] }))).rows
}

async function openBudgetGates({ pool }: Stack): Promise<Pick<Waiting, 'run' | 'template' | 'id'>[]> {
  const query = `select g.run_id as run, r.template, g.id from devflow.gates g join devflow.runs r on r.id = g.run_id
    where g.status = 'open' and g.budget is not null`
  return (await pool.query<Waiting>(query).catch(() => ({ rows: [] }))).rows
}

async function serve(stack: Stack, waiting: Waiting, found: Case, step: Step, key: string): Promise<void> {
  const { run, id, attempt } = waiting
  if (step.kind === 'gate') await decide(stack, waiting, step, key)
  if (step.kind !== 'wait' || typeof step.for !== 'object') return
  const { by, n } = step.for
  if (by === 'signal') await signal(stack, run, step.name, n, `${id}/${attempt}`)
  else {
    await publish(stack, topicOf(found, step.name), n + 1, `${key}/decoy`)
    await publish(stack, topicOf(found, step.name), n, key)
  }
}

/** What comes before anybody waits for it. */
export async function comeEarly(stack: Stack, run: string, found: Case): Promise<void> {
  for (const step of allSteps(found.template.steps)) {
    if (step.kind !== 'wait' || typeof step.for !== 'object' || !step.for.early) continue
    if (step.for.by === 'signal') await signal(stack, run, step.name, step.for.n, 'early')
    else await publish(stack, topicOf(found, step.name), step.for.n, 'early')
  }
}

async function decide(
  stack: Stack,
  { run, id, attempt }: Waiting,
  gate: GateStep,
  key: string,
): Promise<void> {
  if (typeof gate.closes !== 'object' || !('decisions' in gate.closes)) return
  const wanted = nth(gate.closes.decisions, gate.name, id, attempt)
  if (wanted === 'cancel') {
    await post(stack, `/v1/runs/${run}/cancel`, {}, key)
    return
  }
  const path = `/v1/runs/${run}/gates/${encodeURIComponent(id)}/decisions`
  const comment = gate.back && wanted !== 'approve' ? { comment: commentAt(attempt) } : {}
  const decision = wanted === 'changes' ? 'request_changes' : wanted
  const said = await post(stack, path, { decision, ...comment }, key)
  // It was sent back as often as it may be.
  if (said === 409 && wanted === 'changes')
    await post(stack, path, { decision: 'reject', ...comment }, `${key}/no`)
  if (said === 200 && gate.quorum === 2 && decision === 'approve')
    await decideAsAnother(stack, run, id, attempt)
}

/** A second principal, who has no token of their own: the same function that the API calls, and only for this attempt. */
async function decideAsAnother(stack: Stack, run: string, gate: string, attempt: number): Promise<void> {
  const once = async () => {
    const client = await stack.pool.connect()
    try {
      await client.query('begin')
      await client.query('select 1 from devflow.run_heads where run_id = $1 for no key update', [run])
      const { rowCount } = await client.query(
        "select 1 from devflow.gates where run_id = $1 and id = $2 and attempt = $3 and status = 'open'",
        [run, gate, attempt],
      )
      if (rowCount === 1)
        await decideGate(client, {
          run,
          gate,
          actor: 'ann',
          holds: ['principal:ann'],
          decision: 'approve',
          via: 'api',
        })
      await client.query('select pg_notify($1, $2)', [CHANNELS.outbox, ''])
      await client.query('commit')
      return true
    } catch {
      return false // Postgres was killed: not committed, or committed and closed by now.
    } finally {
      client.release(true)
    }
  }
  while (!(await once().catch(() => false))) await pause(200)
}

const signal = (stack: Stack, run: string, name: string, n: number, id: string): Promise<number> =>
  post(stack, `/v1/runs/${run}/signals/${signalOf(name)}`, { data: { n }, id })

const publish = (stack: Stack, topic: string, n: number, id: string): Promise<number> =>
  post(stack, '/v1/events', { topic, id, data: { n } })

/** Refusals are answers: whoever waited may have been stopped meanwhile. */
async function post(stack: Stack, path: string, body: unknown, key?: string): Promise<number> {
  const headers = key === undefined ? {} : { 'idempotency-key': key }
  const { status } = await call(stack, path, { method: 'POST', body: JSON.stringify(body), headers })
  if (status >= 500 || status === 400 || status === 404) throw new Error(`${path} answered ${status}`)
  return status
}
