import type { Figures } from '@devflow/db'
import {
  Counter,
  Gauge,
  Histogram,
  poolGauge,
  processRegistry,
  type Registry,
  SECONDS,
} from '@devflow/process/metrics'
import type { ApiDeps } from './deps.ts'
import type { PokeHub } from './live/poke-hub.ts'
import type { RunFeeds } from './live/run-feeds.ts'
import { Standing } from './standing.ts'

export interface MetricsSources {
  pool: ApiDeps['pool']
  readiness: ApiDeps['readiness']
  feeds: RunFeeds
  hub: PokeHub
}

/**
 * The API's figures for Prometheus. Labels are routes and states, never paths or names, so that their number is
 * bounded. What stands in Postgres is the same from every API: to be read from one, or by `max`.
 */
export class Metrics {
  readonly #registry: Registry = processRegistry()
  readonly #requests: Counter<'method' | 'route' | 'status'>
  readonly #seconds: Histogram<'method' | 'route'>

  constructor(sources: MetricsSources) {
    const registers = [this.#registry]
    this.#requests = new Counter({
      name: 'devflow_api_requests_total',
      help: 'Requests answered',
      labelNames: ['method', 'route', 'status'],
      registers,
    })
    this.#seconds = new Histogram({
      name: 'devflow_api_request_seconds',
      help: 'Time until the answer began',
      labelNames: ['method', 'route'],
      buckets: SECONDS,
      registers,
    })
    poolGauge(this.#registry, sources.pool)
    streamGauges(this.#registry, sources)
    standingGauges(this.#registry, new Standing(sources))
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  answered(method: string, route: string, status: number, seconds: number): void {
    this.#requests.inc({ method, route, status })
    this.#seconds.observe({ method, route }, seconds)
  }

  /** Everything in Prometheus' text format. */
  async text(): Promise<string> {
    return await this.#registry.metrics()
  }
}

function streamGauges(registry: Registry, { feeds, hub }: MetricsSources): void {
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value())
      },
    })
  gauge('devflow_api_run_feeds', 'Runs that are read for streams', () => feeds.size.feeds)
  gauge('devflow_api_run_streams', 'Clients that follow a run', () => feeds.size.clients)
  gauge('devflow_api_poke_streams', 'Clients that follow many runs', () => hub.clients)
}

/** Figures of Postgres and readiness; what cannot be read is left out, and never told as of before. */
function standingGauges(registry: Registry, standing: Standing): void {
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    rows: (figures: Figures) => [value: number, labels?: Partial<Record<Label, string>>][],
  ) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const { figures } = await standing.now()
        this.reset()
        // A gauge without labels would else begin at 0, which says something.
        if (!figures) return this.remove()
        for (const [value, labels] of rows(figures)) this.set(labels ?? {}, value)
      },
    })
  gauge('devflow_runs', 'Runs by status', ['status'], ({ runs }) =>
    runs.map(({ status, count }) => [count, { status }]),
  )
  gauge('devflow_phases', 'Phases of unfinished runs', ['kind', 'status'], ({ phases }) =>
    phases.map(({ kind, status, count }) => [count, { kind, status }]),
  )
  gauge('devflow_gates_open', 'Gates that wait for people', [], (now) => [[now.openGates]])
  gauge('devflow_gate_oldest_seconds', 'How long the oldest open gate is open', [], (now) => [
    [now.oldestOpenGateSeconds],
  ])
  gauge('devflow_outbox_wakes', 'Wakes that Temporal has not taken', [], (now) => [[now.outbox]])
  gauge('devflow_outbox_late_seconds', 'How long the wake due longest is due', [], (now) => [
    [now.outboxLateSeconds],
  ])
  gauge('devflow_money_micro_usd', 'Money by what is known of it', ['state'], (now) => [
    [now.settledMicroUsd, { state: 'settled' }],
    [now.reservedMicroUsd, { state: 'reserved' }],
    [now.unsettledMicroUsd, { state: 'unsettled' }],
  ])
  gauge('devflow_unsettled_calls', 'Calls that ended without a known cost', [], (now) => [
    [now.unsettledCalls],
  ])
  new Gauge({
    name: 'devflow_ready',
    help: 'Whether a part is there, as /readyz says',
    labelNames: ['part'],
    registers: [registry],
    async collect() {
      const { missing } = await standing.now()
      for (const part of ['postgres', 'temporal', 'workers'] as const)
        this.set({ part }, missing.has(part) ? 0 : 1)
    },
  })
}
