// Figures for Prometheus. By itself in the package's exports, so that whoever counts nothing loads nothing of it.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export { Counter, Gauge, Histogram, Registry }

/** From a group's commit to a slow model's answer, in seconds. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** Beyond these a label's values are counted as `other`: figures must not grow with what users name. */
const MOST_VALUES = 100

/** How often the event loop is looked at, in ms; the timer that looks is itself late by so much. */
const LOOK_MS = 10

/** A registry with the figures that every process has. */
export function processRegistry(): Registry {
  const registry = new Registry()
  const registers = [registry]
  const lag = monitorEventLoopDelay({ resolution: LOOK_MS })
  lag.enable()
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Memory of the process',
    registers,
    collect() {
      this.set(process.memoryUsage.rss())
    },
  })
  new Gauge({
    name: 'process_uptime_seconds',
    help: 'Time since the process started',
    registers,
    collect() {
      this.set(process.uptime())
    },
  })
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time the process has used',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / 1e6)
    },
  })
  new Gauge({
    name: 'devflow_event_loop_lag_seconds',
    help: 'How late the event loop was since the figures were last read',
    labelNames: ['quantile'],
    registers,
    collect() {
      for (const quantile of [0.5, 0.99, 1]) {
        const late = lag.count > 0 ? lag.percentile(quantile * 100) / 1e6 - LOOK_MS : 0
        this.set({ quantile: String(quantile) }, Math.max(0, late) / 1_000)
      }
      lag.reset()
    },
  })
  return registry
}

/** Connections of a pool of Postgres, by what they do. */
export function poolGauge(
  registry: Registry,
  pool: { totalCount: number; idleCount: number; waitingCount: number },
): void {
  new Gauge({
    name: 'devflow_postgres_pool',
    help: 'Connections of the pool: used, idle; waiting: requests that wait for one',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.set({ state: 'used' }, pool.totalCount - pool.idleCount)
      this.set({ state: 'idle' }, pool.idleCount)
      this.set({ state: 'waiting' }, pool.waitingCount)
    },
  })
}

/** Keeps the values of a label few: the first hundred stand for themselves, later ones are `other`. */
export function bounded(most = MOST_VALUES): (value: string) => string {
  const known = new Set<string>()
  return (value) => {
    if (known.has(value)) return value
    if (known.size >= most) return 'other'
    known.add(value)
    return value
  }
}
