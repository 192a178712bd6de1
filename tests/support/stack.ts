import { randomUUIDv7 } from 'node:crypto'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Budget, CHANNELS, DEFAULT_TENANT, type DecisionKind, TEMPORAL } from '@devflow/contracts'
import {
  type CommandAnswer,
  commandRun,
  type DecisionAnswer,
  decideGate,
  Listener,
  receiveSignal,
  type SignalAnswer,
  submitRun,
  type Verb,
} from '@devflow/db'
import { type TestDatabase, testDatabase } from '@devflow/db/testing'
import { type FakeOpenRouter, startFakeOpenRouter } from '@devflow/testing'
import type { Client, WorkflowHandle } from '@temporalio/client'
import pg from 'pg'
import { afterAll, beforeAll, inject } from 'vitest'
import { compileEntries } from './compile-entries.ts'
import { eventually } from './eventually.ts'
import { brokenLaws } from './log-laws.ts'
import { freshNamespace } from './namespace.ts'
import { type KeptHistory, replay } from './replay.ts'
import { readStanding, type Standing } from './run-log.ts'
import { startWorker, type WorkerProcess } from './worker-process.ts'

/** A tenth of the times of production, and less. */
const SHORT_TIMES = {
  DEVFLOW_HEARTBEAT_TIMEOUT_MS: '1500',
  DEVFLOW_HEARTBEAT_INTERVAL_MS: '150',
  DEVFLOW_STICKY_TIMEOUT_MS: '500',
  DEVFLOW_DRAIN_MS: '2000',
  DEVFLOW_CALL_BACKOFF_MS: '50',
  DEVFLOW_SWEEP_MS: '2000',
}

/** A lost poke only delays what a test waits for by this much. */
const SLOWEST_LOOK_MS = 1_000
const PATIENCE_MS = 20_000

/** Of a file's executions so many are replayed at its end, the latest first. */
const MOST_REPLAYS = 60

/** The bundle of the workflows is made once for all test files. */
const BUNDLES = fileURLToPath(new URL('../../node_modules/.cache/devflow-test', import.meta.url))

interface Parts {
  database: TestDatabase
  pool: pg.Pool
  listener: Listener
  client: Client
  namespace: string
  fake: FakeOpenRouter
  dataDir: string
}

export interface Submission {
  input?: unknown
  bindings?: Record<string, string>
  budget?: Budget
  workspace?: { repo: string; base?: string }
}

/** How somebody decides a gate. */
export interface Say {
  actor?: string
  decision?: DecisionKind
  comment?: string
  subjectHash?: string
  holds?: string[]
}

/**
 * Real parts of a test file's own: a database, a Temporal namespace, the worker as a process, a stand-in for
 * OpenRouter. It plays the part of the API: commands are rows first, then somebody is poked.
 */
export class Stack {
  readonly runs: string[] = []
  readonly #env: Record<string, string>
  readonly #ends: (() => Promise<unknown>)[] = []
  #parts: Parts | undefined
  #worker: WorkerProcess | undefined

  constructor(env: Record<string, string>) {
    this.#env = env
  }

  get pool(): pg.Pool {
    return this.#started.pool
  }

  get client(): Client {
    return this.#started.client
  }

  get fake(): FakeOpenRouter {
    return this.#started.fake
  }

  get worker(): WorkerProcess {
    if (!this.#worker) throw new Error('no worker is running')
    return this.#worker
  }

  async start(): Promise<void> {
    const database = await testDatabase()
    this.#ends.push(() => database.close())
    const pool = new pg.Pool({ connectionString: database.url, max: 8, options: '-c timezone=UTC' })
    pool.on('error', () => {}) // Dropping the database ends idle connections.
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

  async startWorker(env: Record<string, string> = {}): Promise<WorkerProcess> {
    const { database, namespace, fake, dataDir } = this.#started
    this.#worker = await startWorker({
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
    return this.#worker
  }

  async stopWorker(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.stop()
  }

  /** Submits a run of a template, given by id or as YAML text, and answers its id. */
  async submit(template: string, { input, bindings, budget, workspace }: Submission = {}): Promise<string> {
    const { definition, hash, bindings: bound } = await compileEntries(template, bindings)
    const run = randomUUIDv7()
    await submitRun(this.pool, {
      run,
      tenant: DEFAULT_TENANT,
      definition,
      submitted: {
        format: 1,
        template: definition.template,
        title: definition.title,
        definitionHash: hash,
        input: (input ?? null) as never,
        labels: {},
        budget: { ...definition.budget, ...budget },
        ...(workspace ? { workspace } : {}),
        actor: 'owner',
        bindings: bound,
        phases: definition.phases.map((phase) => ({
          id: phase.id,
          kind: 'agent' in phase ? 'agent' : 'gate' in phase ? 'gate' : 'wait',
        })),
      },
    })
    this.runs.push(run)
    await this.#poke(CHANNELS.outbox)
    return run
  }

  async command(run: string, verb: Verb, reason?: string): Promise<CommandAnswer> {
    const answer = await commandRun(this.pool, {
      run,
      verb,
      actor: 'owner',
      via: 'api',
      ...(reason ? { reason } : {}),
    })
    await this.#poke(CHANNELS.outbox)
    await this.#poke(CHANNELS.control, run)
    return answer
  }

  async decide(
    run: string,
    gate: string,
    { actor = 'owner', decision = 'approve', holds, ...say }: Say = {},
  ): Promise<DecisionAnswer> {
    const answer = await decideGate(this.pool, {
      run,
      gate,
      actor,
      decision,
      holds: holds ?? [`principal:${actor}`, ...(actor === 'owner' ? ['owner'] : [])],
      via: 'api',
      ...say,
    })
    await this.#poke(CHANNELS.outbox)
    return answer
  }

  async signal(run: string, name: string, id: string, data?: unknown): Promise<SignalAnswer> {
    const answer = await receiveSignal(this.pool, { run, name, id, data, actor: 'owner' })
    await this.#poke(CHANNELS.outbox)
    return answer
  }

  /** Puts a wake in the outbox, as anyone may at any time. */
  async wake(run: string): Promise<void> {
    await this.pool.query('select devflow.wake($1)', [run])
    await this.#poke(CHANNELS.outbox)
  }

  workflow(run: string): WorkflowHandle {
    return this.client.workflow.getHandle(TEMPORAL.workflowId(run))
  }

  standing(run: string): Promise<Standing> {
    return readStanding(this.pool, run)
  }

  /** Waits until the run stands as the condition says, looking whenever its log grows. */
  async until(
    run: string,
    holds: (standing: Standing) => boolean,
    patienceMs = PATIENCE_MS,
  ): Promise<Standing> {
    const started = performance.now()
    for (;;) {
      const news = this.#news(run)
      const standing = await this.standing(run)
      if (holds(standing)) {
        news.forget()
        return standing
      }
      if (performance.now() - started > patienceMs) {
        news.forget()
        throw new Error(
          `run ${run} is ${standing.status} and did not come there within ${patienceMs} ms:\n${standing.types.join('\n')}\n${JSON.stringify(standing.error)}\n${this.#worker?.printed().slice(-3_000)}`,
        )
      }
      await news.come
    }
  }

  /** Waits until the run has one of these statuses. */
  untilStatus(run: string, ...statuses: string[]): Promise<Standing> {
    return this.until(run, ({ status }) => statuses.includes(status))
  }

  /** Waits until the run's log holds an event of this type, as many as told. */
  untilEvent(run: string, type: string, count = 1): Promise<Standing> {
    return this.until(run, ({ types }) => types.filter((other) => other === type).length >= count)
  }

  /** Waits until no wake of the run is under way and its workflow has ended: what is then written is all there is. */
  async untilQuiet(run: string): Promise<Standing> {
    await eventually(
      async () => {
        const { rows } = await this.pool.query('select 1 from devflow.outbox where run_id = $1', [run])
        return rows.length
      },
      (wakes) => wakes === 0,
    )
    await this.workflow(run).result()
    return await this.standing(run)
  }

  /** Submits a run and waits for its end. */
  async finish(template: string, submission?: Submission): Promise<Standing> {
    return await this.untilStatus(await this.submit(template, submission), 'completed', 'failed', 'canceled')
  }

  /** What is wrong with the logs of all runs submitted so far. */
  brokenLogs(): Promise<Record<string, string[]>> {
    return brokenLaws(this.pool, this.#started.database.url, this.runs)
  }

  /** What a replay of the histories of these runs says; nothing when the workflow is deterministic in all of them. */
  async brokenReplays(): Promise<Record<string, string>> {
    const histories: KeptHistory[] = []
    for await (const { workflowId, runId } of this.client.workflow.list({
      query: `WorkflowType = '${TEMPORAL.workflowType}'`,
    })) {
      if (histories.length === MOST_REPLAYS) break
      const history = await this.client.workflow.getHandle(workflowId, runId).fetchHistory()
      histories.push({ workflowId, events: history.events ?? [] })
    }
    return await replay(histories)
  }

  #news(run: string): { come: Promise<void>; forget: () => void } {
    let forget = () => {}
    const come = new Promise<void>((resolve) => {
      const timer = setTimeout(() => forget(), SLOWEST_LOOK_MS)
      const unsubscribe = this.#started.listener.subscribe(CHANNELS.run, {
        notified: (payload) => {
          if (payload === run) forget()
        },
      })
      forget = () => {
        clearTimeout(timer)
        unsubscribe()
        resolve()
      }
    })
    return { come, forget: () => forget() }
  }

  async #poke(channel: string, payload = ''): Promise<void> {
    await this.pool.query('select pg_notify($1, $2)', [channel, payload])
  }

  get #started(): Parts {
    if (!this.#parts) throw new Error('the stack is not started')
    return this.#parts
  }
}

/**
 * A stack for a test file, started before its tests and ended after them; then every log must be in order, and the
 * histories must replay.
 */
export function useStack({
  worker = true,
  env = {},
}: {
  worker?: boolean
  env?: Record<string, string>
} = {}): Stack {
  const stack = new Stack(env)
  beforeAll(async () => {
    await stack.start()
    if (worker) await stack.startWorker()
  })
  afterAll(async () => {
    try {
      const broken = await stack.brokenLogs()
      if (Object.keys(broken).length > 0)
        throw new Error(`logs that break the laws: ${JSON.stringify(broken, null, 2)}`)
      const unlike = await stack.brokenReplays()
      if (Object.keys(unlike).length > 0)
        throw new Error(`histories that do not replay: ${JSON.stringify(unlike, null, 2)}`)
    } finally {
      await stack.stop()
    }
  })
  return stack
}
