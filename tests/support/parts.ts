import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Listener, openPool } from '@devflow/db'
import { type TestDatabase, testDatabase } from '@devflow/db/testing'
import { type FakeOpenRouter, startFakeOpenRouter } from '@devflow/testing'
import type { Client } from '@temporalio/client'
import type pg from 'pg'
import { inject } from 'vitest'
import { isAlive } from './alive.ts'
import { type AppProcess, startApp } from './app-process.ts'
import { eventually } from './eventually.ts'
import { freshNamespace } from './namespace.ts'

/** A tenth of the times of production, and less. */
const SHORT_TIMES = {
  DEVFLOW_HEARTBEAT_TIMEOUT_MS: '1500',
  DEVFLOW_HEARTBEAT_INTERVAL_MS: '150',
  DEVFLOW_STICKY_TIMEOUT_MS: '500',
  DEVFLOW_DRAIN_MS: '2000',
  DEVFLOW_CALL_BACKOFF_MS: '50',
  DEVFLOW_SWEEP_MS: '2000',
}

/** The bundle of the workflows is made once for all test files. */
const BUNDLES = fileURLToPath(new URL('../../node_modules/.cache/devflow-test', import.meta.url))

interface Started {
  database: TestDatabase
  pool: pg.Pool
  listener: Listener
  client: Client
  namespace: string
  fake: FakeOpenRouter
  dataDir: string
}

/**
 * Real parts of a test file's own: a database, a Temporal namespace, the worker as a process, a stand-in for OpenRouter.
 */
export class Parts {
  readonly #env: Record<string, string>
  readonly #ends: (() => Promise<unknown>)[] = []
  #parts: Started | undefined
  #worker: AppProcess | undefined

  constructor(env: Record<string, string>) {
    this.#env = env
  }

  get databaseUrl(): string {
    return this.#started.database.url
  }

  get listener(): Listener {
    return this.#started.listener
  }

  get pool(): pg.Pool {
    return this.#started.pool
  }

  get client(): Client {
    return this.#started.client
  }

  /** Where the worker keeps mirrors and clones. */
  get dataDir(): string {
    return this.#started.dataDir
  }

  get fake(): FakeOpenRouter {
    return this.#started.fake
  }

  get worker(): AppProcess {
    if (!this.#worker) throw new Error('no worker is running')
    return this.#worker
  }

  /** Until the worker has died of a fault of its own. */
  async untilWorkerDies(options: { patienceMs?: number } = {}): Promise<void> {
    const { pid } = this.worker
    await eventually(
      async () => isAlive(pid),
      (alive) => !alive,
      options,
    )
  }

  /** What the worker has logged, if there is one. */
  printed(): string {
    return this.#worker?.printed() ?? ''
  }

  async start(): Promise<void> {
    const database = await testDatabase()
    this.#ends.push(() => database.close())
    // Dropping the database ends idle connections.
    const pool = openPool(database.url, { max: 8, application_name: 'devflow-tests' }, () => {})
    this.#ends.push(() => pool.end())
    const listener = new Listener(database.url)
    this.#ends.push(() => listener.close())
    const { namespace, client } = await freshNamespace(inject('temporalAddress'))
    this.#ends.push(() => client.connection.close())
    const fake = await startFakeOpenRouter()
    this.#ends.push(() => fake.close())
    const dataDir = await mkdtemp(join(tmpdir(), 'devflow-e2e-'))
    this.#ends.push(() => rm(dataDir, { recursive: true, force: true }))
    await mkdir(BUNDLES, { recursive: true })
    await symlink(BUNDLES, join(dataDir, 'cache'))
    this.#parts = { database, pool, listener, client, namespace, fake, dataDir }
  }

  /** Ends the parts, the last started first. */
  async stop(): Promise<void> {
    await this.stopWorker()
    for (const end of this.#ends.splice(0).reverse()) await end()
  }

  async startWorker(env: Record<string, string> = {}): Promise<AppProcess> {
    this.#worker = await this.startAnotherWorker(env)
    return this.#worker
  }

  /** One more beside the worker, which the caller ends. */
  async startAnotherWorker(env: Record<string, string> = {}): Promise<AppProcess> {
    const { database, namespace, fake, dataDir } = this.#started
    return await startApp('worker', {
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      TEMPORAL_NAMESPACE: namespace,
      DEVFLOW_DATA: dataDir,
      DEVFLOW_WORKSPACE_ROOTS: `${dataDir}:${tmpdir()}`,
      OPENROUTER_API_KEY: 'sk-or-v1-test-key',
      OPENROUTER_BASE_URL: fake.baseURL,
      ...SHORT_TIMES,
      ...this.#env,
      ...env,
    })
  }

  async stopWorker(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.stop()
  }

  get #started(): Started {
    if (!this.#parts) throw new Error('the parts are not started')
    return this.#parts
  }
}
