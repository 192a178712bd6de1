import type { Deps, ModelAdapter } from '@devflow/activities'
import type { Provider } from '@devflow/contracts'
import { GroupWriter, type GroupWriterOptions } from '@devflow/db'
import type { Logger, Tracing } from '@devflow/process'
import type { WorkflowClientInterceptor } from '@temporalio/client'
import type { ActivityInterceptorsFactory, Worker } from '@temporalio/worker'
import type pg from 'pg'
import type { Config } from './config.ts'
import { type CallObserver, observedModel } from './observed-model.ts'

/** What a worker's parts are wrapped in where somebody watches it, and are left as they are where nobody does. */
export interface Observers {
  writer(databaseUrl: string, options: GroupWriterOptions): GroupWriter
  model(provider: Provider, adapter: ModelAdapter): ModelAdapter
  session: Deps['observeSession']
  wakes: WorkflowClientInterceptor[]
  /** To be told of orphans that are mended. */
  mended(kind: string, count: number): void
  activities: ActivityInterceptorsFactory[]
  /** To be called when the workers are made: figures tell of them too, and are served from then on. */
  serve(workers: { workflows: Worker; sessions: Worker }): Promise<void>
  close(): Promise<void>
}

export interface ObserversDeps {
  config: Config
  pool: pg.Pool
  log: Logger
  tracing: Tracing | undefined
}

/** Figures and traces of a worker. What is not configured is not loaded either. */
export async function openObservers({ config, pool, log, tracing }: ObserversDeps): Promise<Observers> {
  const traces = tracing && new (await import('./tracing.ts')).WorkerTraces({ tracing, pool, log })
  const figures = config.metrics && (await import('./metrics.ts'))
  const metrics = figures && new figures.WorkerMetrics(pool)
  const observers: CallObserver[] = [traces?.calls, metrics?.calls].filter((one) => one !== undefined)
  let server: { port: number; close(): Promise<void> } | undefined
  return {
    writer: (databaseUrl, options) =>
      figures && metrics
        ? new figures.MeteredWriter(databaseUrl, pool, options, metrics)
        : new GroupWriter(databaseUrl, pool, options),
    model: (provider, adapter) => observedModel(provider, adapter, observers),
    session: traces?.session ?? ((_, play) => play()),
    wakes: [traces?.wakes, metrics?.wakes].filter((one) => one !== undefined),
    mended: (kind, count) => metrics?.mended(kind, count),
    activities: traces ? [traces.activities] : [],
    serve: async (workers) => {
      if (!metrics || !config.metrics) return
      metrics.watch(workers)
      const { host, port } = config.metrics
      server = await (await import('./metrics-server.ts')).serveMetrics(metrics.registry, host, port)
      log.info({ address: `http://${host}:${server.port}/metrics` }, 'figures are served')
    },
    close: async () => {
      await server?.close()
      await tracing?.close()
    },
  }
}
