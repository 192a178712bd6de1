import type { Provider, Scrub } from '@devflow/contracts'
import type { Listener, Poker } from '@devflow/db'
import type { Logger, Tracing } from '@devflow/process'
import type pg from 'pg'
import type { Watch } from './live/watch.ts'
import type { ManualPage } from './manual.ts'
import type { Readiness } from './readiness.ts'
import type { LiveRegistry } from './registry/live-registry.ts'

/** All that the API stands on; `createApi` takes it and owns none of it. */
export interface ApiDeps {
  pool: pg.Pool
  listener: Listener
  poker: Poker
  watch: Watch
  registry: LiveRegistry
  readiness: Readiness
  /** What is served of the documentation. */
  manual: readonly ManualPage[]
  log: Logger
  /** Undefined: no traces are made. */
  tracing: Tracing | undefined
  scrub: Scrub
  tenant: string
  host: string
  token: string | undefined
  hasKey: (provider: Provider) => boolean
  /** Folders under which repositories may lie. */
  workspaceRoots: readonly string[]
  maxBodyBytes: number
  /** Between the heartbeats of a stream. */
  heartbeatMs: number
  /** Aborted when the API ends: streams close, waits answer. */
  closing: AbortSignal
}
