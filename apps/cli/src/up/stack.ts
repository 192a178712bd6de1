import { fileURLToPath } from 'node:url'
import { cacheFolder, lockData, obtainTemporal } from '@devflow/local-stack'
import { dataLayout } from './data-layout.ts'
import { clearEndpoints, type Endpoints } from './endpoints.ts'
import { checkPort, keepApi, placeApi } from './parts/api.ts'
import type { PartContext } from './parts/part-context.ts'
import { keepPostgres } from './parts/postgres.ts'
import { checkVersions, keepTemporal } from './parts/temporal.ts'
import { keepWorkers } from './parts/workers.ts'
import { type Supervised, supervise } from './supervise.ts'
import type { UpOptions } from './up-options.ts'

export interface StackEvents {
  /** Plain words on what takes a while or has happened. */
  onProgress(text: string): void
  /** A part says that something is not as whoever started it will think. */
  onNotice(text: string): void
  /** All parts run: the first time, and again after each restart of one. */
  onReady(endpoints: Endpoints): void
}

export interface Stack {
  /** Ends API and workers, then Temporal, then Postgres. `now`: without waiting for the work under way. */
  stop(how?: 'drain' | 'now'): Promise<void>
}

/** What the stack is made of that is not its own. */
export interface StackDeps {
  /** Brings the database up to date. */
  migrate(databaseUrl: string): Promise<void>
  /** Scripts of API and worker. */
  api: string
  worker: string
}

const app = (name: string) => fileURLToPath(new URL(`../../../${name}/src/main.ts`, import.meta.url))

/** The real ones. */
const stackDeps: StackDeps = {
  migrate: async (databaseUrl) => (await import('@devflow/db')).migrate(databaseUrl),
  api: app('api'),
  worker: app('worker'),
}

const SERVER_GRACE_MS = 10_000

/** Starts all parts and keeps them running. Rejects with a DevflowError when one cannot be started; then none is left. */
export async function startStack(
  options: UpOptions,
  events: StackEvents,
  deps: StackDeps = stackDeps,
): Promise<Stack> {
  const { times, temporalAddress, cache, env } = options.config
  const lock = lockData(options.dataDir)
  const postgres: Promise<Supervised | undefined>[] = []
  const temporal: Promise<Supervised | undefined>[] = []
  const apps: Promise<Supervised>[] = []
  /** Parts that have ended and are not back yet. Nothing is ready until all were started once. */
  const down = new Set(['the first start'])
  const announce = () => {
    if (down.size === 0) events.onReady(structuredClone(context.endpoints))
  }

  const context: PartContext = {
    options,
    at: dataLayout(options.dataDir),
    endpoints: {
      api: '',
      temporalAddress: '',
      databaseUrl: '',
      providers: options.config.modelProviders,
      pids: { workers: [] },
      ...(options.unsandboxedCommands || options.config.unsandboxedCommands
        ? { unsandboxedCommands: true }
        : {}),
    },
    progress: events.onProgress,
    notice: events.onNotice,
    keep: (name, start, note) =>
      supervise(
        start,
        {
          onRunning: (part) => {
            note(part)
            down.delete(name)
            announce()
          },
          onDown: (how, inMs) => {
            down.add(name)
            events.onProgress(options.words.up.down(name, how, inMs))
          },
        },
        times,
      ),
  }

  const end = async (parts: Promise<Supervised | undefined>[], graceMs: number) => {
    const started = await Promise.allSettled(parts)
    await Promise.all(
      started.map((part) => (part.status === 'fulfilled' ? part.value?.stop(graceMs) : undefined)),
    )
  }
  const stop = async (how: 'drain' | 'now' = 'drain') => {
    await end(apps, how === 'now' ? 0 : times.drainMs)
    await end(temporal, how === 'now' ? 0 : SERVER_GRACE_MS)
    await end(postgres, how === 'now' ? 1_000 : SERVER_GRACE_MS)
    lock.release()
  }

  try {
    clearEndpoints(options.dataDir)
    await checkPort(options)
    const program =
      temporalAddress === undefined
        ? await obtainTemporal({
            cacheDir: cacheFolder({ DEVFLOW_CACHE: cache }),
            env,
            onProgress: events.onProgress,
          })
        : undefined
    checkVersions(context, program)
    postgres.push(keepPostgres(context))
    temporal.push(keepTemporal(context, program))
    await Promise.all([
      Promise.all(postgres).then(() => deps.migrate(context.endpoints.databaseUrl)),
      ...temporal,
    ])
    const port = await placeApi(context)
    apps.push(keepApi(context, deps.api, port), ...keepWorkers(context, deps.worker))
    await Promise.all(apps)
  } catch (error) {
    await stop('now')
    throw error
  }
  down.clear()
  announce()
  return { stop }
}
