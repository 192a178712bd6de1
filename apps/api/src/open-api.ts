import { fileURLToPath } from 'node:url'
import { CHANNELS, DEFAULT_TENANT, scrubber } from '@devflow/contracts'
import { Listener, openPool, Poker } from '@devflow/db'
import { readFolders } from '@devflow/definition'
import { type Logger, repeat, type Tracing } from '@devflow/process'
import type { Config } from './config.ts'
import { createApi } from './create-api.ts'
import type { ApiDeps } from './deps.ts'
import { Watch } from './live/watch.ts'
import { readManual } from './manual.ts'
import type { Api } from './operation.ts'
import { Readiness } from './readiness.ts'
import { LiveRegistry } from './registry/live-registry.ts'
import { submitDue } from './submissions/submitter.ts'

const MANUAL_FOLDER = fileURLToPath(new URL('../../../docs', import.meta.url))

export interface OpenApi {
  api: Api
  deps: ApiDeps
  /** Ends streams and waits; to be called before connections are closed. */
  close(): void
  /** Closes what the API stands on. */
  release(): Promise<void>
}

/** The API with its dependencies, made from a configuration. Postgres and Temporal may be away. */
export async function openApi(config: Config, log: Logger, tracing?: Tracing): Promise<OpenApi> {
  const { databaseUrl, heartbeatMs, maxBodyBytes, host, token, workspaceRoots } = config
  const warn = (what: string) => (error: unknown) => log.warn({ err: error }, what)
  const [read, manual] = await Promise.all([readFolders(config.entries), readManual(MANUAL_FOLDER)])
  const pool = openPool(
    databaseUrl,
    {
      // Each plans the commands' functions once for itself, and keeps them: more of them are slower, not quicker.
      max: 6,
      application_name: 'devflow-api',
      connectionTimeoutMillis: 2_000,
      statement_timeout: 10_000,
      query_timeout: 12_000,
      idle_in_transaction_session_timeout: 15_000,
    },
    warn('an idle connection to Postgres broke'),
  )
  const listener = new Listener(databaseUrl, { onProblem: warn('listening to Postgres failed') })
  const poker = new Poker(databaseUrl, { onProblem: warn('a poke could not be sent') })
  const registry = new LiveRegistry({ pool, tenant: DEFAULT_TENANT, read, log })
  const watch = new Watch({ pool, listener, onProblem: warn('the slow poll failed') })
  const readiness = new Readiness({ pool, ...config.temporal })
  const closing = new AbortController()
  const deps: ApiDeps = {
    pool,
    listener,
    poker,
    watch,
    registry,
    readiness,
    manual,
    log,
    tracing,
    scrub: scrubber(config.secrets),
    tenant: DEFAULT_TENANT,
    host,
    token,
    hasKey: (provider) => config.keys.has(provider),
    workspaceRoots,
    maxBodyBytes,
    heartbeatMs,
    closing: closing.signal,
  }
  const submitting = repeat(
    1_000,
    () => submitDue(deps),
    warn('what triggers ask for could not be submitted'),
  )
  const hurry = listener.subscribe(CHANNELS.topics, { notified: submitting.hurry })
  return {
    api: createApi(deps),
    deps,
    close: () => closing.abort(),
    release: async () => {
      hurry()
      await submitting.stop()
      await watch.close()
      await Promise.all([listener.close(), poker.close(), readiness.close()])
      await pool.end()
    },
  }
}
