import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { freePorts } from '@devflow/local-stack'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type ApiProcess, startApi } from '../support/api-process.ts'
import { eventually } from '../support/eventually.ts'
import { Stack } from '../support/stack.ts'
import { agentTemplate, gateTemplate } from '../support/templates.ts'

const PAGE = fileURLToPath(new URL('../../docs/operations.md', import.meta.url))

const STREAMING = `[turns=0][chunks=400][chunkDelayMs=20] [[complete:"${'many words '.repeat(200)}"]]`

interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

interface Scrape {
  types: Map<string, string>
  samples: Sample[]
}

const stack = new Stack({})
let port = 0
let api: ApiProcess

beforeAll(async () => {
  await stack.start()
  ;[port = 0] = await freePorts(1)
  await stack.startWorker({ DEVFLOW_METRICS_PORT: String(port) })
  api = await startApi({
    DATABASE_URL: stack.databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: stack.client.options.namespace ?? '',
  })
})
afterAll(async () => {
  await api?.stop()
  await stack.stop()
})

async function scrape(url: string): Promise<Scrape> {
  const response = await fetch(`${url}/metrics`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4')
  const lines = (await response.text()).split('\n').filter((line) => line !== '')
  const types = new Map<string, string>()
  const samples: Sample[] = []
  for (const line of lines) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? []
    if (name && type) types.set(name, type)
    if (line.startsWith('#')) continue
    const [, sample = '', labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    expect(sample, line).not.toBe('')
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
    samples.push({
      name: sample,
      labels: Object.fromEntries(pairs.map(([, key, text]) => [key, text])),
      value: Number(value),
    })
  }
  return { types, samples }
}

const worker = () => scrape(`http://127.0.0.1:${port}`)
/** The API looks at Postgres and Temporal every few seconds. */
const apiOnce = (isThere: (scraped: Scrape) => boolean) => eventually(() => scrape(api.url), isThere)

/** The sum of a metric's samples with these labels; undefined when there is none. */
function of({ samples }: Scrape, name: string, labels: Record<string, string> = {}): number | undefined {
  const found = samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([key, text]) => sample.labels[key] === text),
  )
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0)
}

test('a run shows in the figures of its worker', async () => {
  const before = await worker()
  const { status } = await stack.finish(agentTemplate('[turns=1][chunks=5]'))
  expect(status).toBe('completed')
  const told = (figures: typeof before) => of(figures, 'devflow_events_total', { type: 'run.completed' }) ?? 0
  // What it wrote last it counts a moment after it is on record.
  const after = await eventually(worker, (figures) => told(figures) > told(before))
  const grown = (name: string, labels?: Record<string, string>) =>
    (of(after, name, labels) ?? 0) - (of(before, name, labels) ?? 0)
  expect(grown('devflow_provider_calls_total', { provider: 'openrouter', status: 'answered' })).toBe(2)
  expect(grown('devflow_provider_call_seconds_count', { provider: 'openrouter' })).toBe(2)
  expect(grown('devflow_provider_first_piece_seconds_count')).toBe(2)
  expect(grown('devflow_provider_tokens_total', { kind: 'output' })).toBeGreaterThan(0)
  for (const type of ['run.started', 'phase.started', 'phase.completed', 'run.completed'])
    expect(grown('devflow_events_total', { type }), type).toBe(1)
  expect(grown('devflow_events_total', { type: 'turn.completed' })).toBe(2)
  expect(grown('devflow_chunks_total', { kind: 'done' })).toBe(2)
  const { rows } = await stack.pool.query<{ cost: string }>(
    'select sum(cost_micro_usd) as cost from devflow.model_calls where run_id = $1',
    [stack.runs.at(-1)],
  )
  expect(grown('devflow_cost_micro_usd_total')).toBeCloseTo(Number(rows[0]?.cost), 6)
  expect(grown('devflow_wakes_total', { result: 'taken' })).toBeGreaterThan(0)
  const appends = grown('devflow_appends_total')
  expect(appends).toBeGreaterThan(3)
  expect(grown('devflow_append_seconds_count')).toBe(appends)
  // Every append was a member of one group.
  expect(grown('devflow_append_group_members_sum')).toBe(appends)
  expect(grown('devflow_append_group_seconds_count')).toBe(grown('devflow_append_group_members_count'))
  expect(of(after, 'devflow_provider_calls_open')).toBe(0)
})

test('a session under way shows in its worker, and how far it is', async () => {
  const run = await stack.submit(agentTemplate(STREAMING))
  await stack.untilEvent(run, 'call.started')
  const now = await worker()
  expect(of(now, 'devflow_worker_sessions')).toBe(1)
  expect(of(now, 'devflow_provider_calls_open', { provider: 'openrouter' })).toBe(1)
  expect(of(now, 'devflow_worker_polling', { queue: 'workflows' })).toBe(1)
  expect(of(now, 'devflow_worker_polling', { queue: 'sessions' })).toBe(1)
  await stack.command(run, 'cancel')
  await stack.untilStatus(run, 'canceled')
  await eventually(worker, (later) => of(later, 'devflow_provider_calls_total', { status: 'aborted' }) === 1)
  await eventually(worker, (later) => of(later, 'devflow_worker_sessions') === 0)
})

test('what stands in Postgres shows in the figures of the API: runs, phases, gates, money', async () => {
  const run = await stack.submit(gateTemplate())
  await stack.untilEvent(run, 'gate.opened')
  const waiting = await apiOnce((now) => of(now, 'devflow_gates_open') === 1)
  expect(of(waiting, 'devflow_runs', { status: 'waiting' })).toBe(1)
  expect(of(waiting, 'devflow_phases', { kind: 'gate', status: 'waiting' })).toBe(1)
  expect(of(waiting, 'devflow_gate_oldest_seconds')).toBeGreaterThan(0)
  expect(of(waiting, 'devflow_ready', { part: 'postgres' })).toBe(1)
  expect(of(waiting, 'devflow_ready', { part: 'workers' })).toBe(1)
  const { rows } = await stack.pool.query<{ settled: string; reserved: string }>(
    'select sum(settled_micro_usd) as settled, sum(reserved_micro_usd) as reserved from devflow.run_budgets',
  )
  expect(of(waiting, 'devflow_money_micro_usd', { state: 'settled' })).toBeCloseTo(Number(rows[0]?.settled))
  expect(Number(rows[0]?.settled)).toBeGreaterThan(0)
  await stack.decide(run, 'ok')
  await stack.untilStatus(run, 'completed')
  const over = await apiOnce((now) => of(now, 'devflow_gates_open') === 0)
  expect(of(over, 'devflow_runs', { status: 'waiting' }) ?? 0).toBe(0)
  expect(of(over, 'devflow_gate_oldest_seconds')).toBe(0)
  expect(of(over, 'devflow_outbox_wakes')).toBe(0)
})

test('requests are counted by route, whatever their paths; streams while they are open', async () => {
  for (const path of ['/v1/runs/0190f0f0-0000-7000-8000-000000000000', '/v1/a', '/v1/b?c=d'])
    await api.call(path)
  const leaving = new AbortController()
  const stream = await fetch(`${api.url}/v1/stream`, { signal: leaving.signal })
  const reader = stream.body?.getReader()
  await reader?.read()
  const now = await scrape(api.url)
  expect(of(now, 'devflow_api_requests_total', { route: '/v1/runs/:id', status: '404' })).toBe(1)
  expect(of(now, 'devflow_api_poke_streams')).toBe(1)
  const text = JSON.stringify(now.samples)
  expect(text).not.toContain('0190f0f0')
  expect(text).not.toContain('/v1/a')
  leaving.abort()
  await eventually(
    () => scrape(api.url),
    (later) => of(later, 'devflow_api_poke_streams') === 0,
  )
})

describe('the table in docs/operations.md', async () => {
  const page = await readFile(PAGE, 'utf8')
  const rows = [
    ...page.matchAll(/^\| `((?:devflow|process)_[a-z_]+)(?:\{([a-z, ]+)\})?` \| (\w+) \| (.+?) \|/gm),
  ]
  const documented = rows.map(([, name = '', labels = '', type = '', who = '']) => ({
    name,
    labels: labels.split(', ').filter(Boolean).sort(),
    type,
    who,
  }))

  test.each([
    ['API', () => scrape(api.url)],
    ['worker', worker],
  ] as const)('names every metric of the %s with its type and labels, and no other', async (who, look) => {
    // Some labels show only once there is something to tell of.
    await stack.finish(agentTemplate('[turns=0][chunks=2]'))
    const run = await stack.submit(gateTemplate())
    await stack.untilEvent(run, 'gate.opened')
    await apiOnce((now) => of(now, 'devflow_gates_open') !== 0)
    const { types, samples } = await look()
    const shown = [...types].map(([name, type]) => {
      const own = samples.filter(
        (sample) => sample.name.replace(/_(bucket|sum|count)$/, '') === name || sample.name === name,
      )
      const labels = new Set(own.flatMap((sample) => Object.keys(sample.labels)))
      labels.delete('le')
      return { name, type, labels: [...labels].sort() }
    })
    const told = documented
      .filter((row) => row.who.includes(who))
      .map(({ name, type, labels }) => ({ name, type, labels }))
    const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name)
    expect(told.length).toBeGreaterThan(10)
    expect(shown.sort(byName)).toEqual(told.sort(byName))
  })
})

test('a second worker of the machine serves its figures on the next port', async () => {
  const first = stack.worker
  const second = await stack.startWorker({ DEVFLOW_METRICS_PORT: String(port) })
  try {
    const [, next] = /http:\/\/127\.0\.0\.1:(\d+)\/metrics/.exec(second.printed()) ?? []
    expect(Number(next)).toBeGreaterThan(port)
    expect((await scrape(`http://127.0.0.1:${next}`)).types.size).toBeGreaterThan(10)
    expect((await fetch(`http://127.0.0.1:${next}/other`)).status).toBe(404)
  } finally {
    await second.stop()
    await first.stop()
  }
})
