import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openPool } from '@devflow/db'
import { FAKE_OPENROUTER_MAIN, type FakeOpenRouter } from '@devflow/testing'
import type pg from 'pg'
import { isAlive } from '../support/alive.ts'
import { ownEnv } from '../support/own-env.ts'
import { entries, makeRepository } from './fixtures.ts'

const CLI = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url))

/** Times of a stack under test: a fraction of what they are for people. */
const SHORT_TIMES = {
  // Long enough that a busy machine is not taken for a dead worker.
  DEVFLOW_HEARTBEAT_TIMEOUT_MS: '2500',
  DEVFLOW_HEARTBEAT_INTERVAL_MS: '200',
  DEVFLOW_STICKY_TIMEOUT_MS: '500',
  DEVFLOW_DRAIN_MS: '3000',
  DEVFLOW_CALL_BACKOFF_MS: '50',
  DEVFLOW_SWEEP_MS: '1000',
  DEVFLOW_PING_INTERVAL_MS: '500',
  DEVFLOW_RESTART_MAX_MS: '500',
  // A frozen worker is for Temporal to notice here, not for the supervisor.
  DEVFLOW_PING_TIMEOUT_MS: '60000',
}

export interface Ready {
  api: string
  temporalAddress: string
  databaseUrl: string
  pids: { api: number; workers: number[]; temporal: number; postgres: number }
}

export interface StackOptions {
  workers?: number
  /** Where the stack keeps its state, when not in a folder of its own. */
  dataDir?: string
  env?: Record<string, string>
  /** A provider of the test's own, which outlives the stack; else it has one as a process beside it. */
  provider?: FakeOpenRouter
}

/** A whole Devflow as people run it, with a provider of its own beside it; made to be hurt. */
export class Stack {
  readonly folder = mkdtempSync(join(tmpdir(), 'devflow-crash-'))
  readonly dataDir: string
  readonly repository = join(this.folder, 'repository')
  readonly #options: StackOptions
  #fake: ChildProcess | undefined
  #fakeUrl = ''
  #up: ChildProcess | undefined
  #output = ''
  #ready: Ready | undefined
  #readyCount = 0
  #wake: (() => void)[] = []
  #pool: pg.Pool | undefined

  private constructor(options: StackOptions) {
    this.#options = options
    this.dataDir = options.dataDir ?? join(this.folder, 'data')
  }

  static async start(options: StackOptions = {}): Promise<Stack> {
    const stack = new Stack(options)
    try {
      mkdirSync(join(stack.folder, 'entries'), { recursive: true })
      writeFileSync(join(stack.folder, 'entries', 'crash.yaml'), entries)
      makeRepository(stack.repository)
      stack.#fakeUrl = options.provider?.baseURL ?? (await stack.#startFake())
      await stack.up()
      return stack
    } catch (error) {
      await stack.close()
      throw error
    }
  }

  async #startFake(): Promise<string> {
    this.#fake = spawn(process.execPath, [FAKE_OPENROUTER_MAIN], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(createInterface({ input: mustBe(this.#fake.stdout) }), 'line')) as [string]
    return (JSON.parse(line) as { baseURL: string }).baseURL
  }

  /** What the last ready line said. */
  get ready(): Ready {
    return mustBe(this.#ready)
  }

  get upPid(): number {
    return mustBe(this.#up?.pid)
  }

  /** All that `up` printed, on both streams. */
  get output(): string {
    return this.#output
  }

  get pool(): pg.Pool {
    return mustBe(this.#pool)
  }

  /** Starts `devflow up` on this stack's data. */
  async up(): Promise<void> {
    const args = [
      'up',
      '--json',
      '--no-sample',
      '--port',
      '0',
      '--data',
      this.dataDir,
      '--workers',
      String(this.#options.workers ?? 2),
    ]
    args.push('--entries', join(this.folder, 'entries'), '--workspace-root', this.folder)
    const child = spawn(process.execPath, [CLI, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...ownEnv(),
        ...{
          DEVFLOW_CACHE: process.env.DEVFLOW_CACHE,
          OPENROUTER_API_KEY: 'sk-or-test-0123456789',
          OPENROUTER_BASE_URL: this.#fakeUrl,
          DEVFLOW_FAULT_FILE: this.#faultFile,
        },
        ...SHORT_TIMES,
        ...this.#options.env,
      },
    })
    this.#up = child
    child.stderr.on('data', (text) => {
      this.#output += text
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#output += `${line}\n`
      const said = JSON.parse(line) as { event: string } & Ready
      if (said.event === 'ready') {
        this.#ready = said
        this.#readyCount += 1
      }
      for (const wake of this.#wake.splice(0)) wake()
    })
    child.on('exit', () => {
      for (const wake of this.#wake.splice(0)) wake()
    })
    const before = this.#readyCount
    await this.#until(() => this.#readyCount > before)
    await this.#pool?.end()
    // Postgres is killed in these tests, also while connections are in use.
    this.#pool = openPool(this.ready.databaseUrl, { max: 4, application_name: 'devflow-tests' }, () => {})
  }

  /** Ends `up` in good order, or as kill -9 does, with all that it started. */
  async down(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = mustBe(this.#up)
    const pids = Object.values(this.#ready?.pids ?? {}).flat()
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal)
      await once(child, 'exit')
    }
    await this.#until(() => pids.every((pid) => !isAlive(pid)), 15_000)
  }

  /** Kills one of the parts and waits until the supervisor has it back. */
  async killAndWait(...pids: number[]): Promise<void> {
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    await this.backAfter(pids)
  }

  /** Until a ready line names none of these processes any more. */
  async backAfter(pids: number[]): Promise<void> {
    await this.#until(
      () =>
        !Object.values(this.ready.pids)
          .flat()
          .some((pid) => pids.includes(pid)),
    )
  }

  /** The next worker that reaches `point` for the count-th time dies there. */
  armFault(point: string, count = 1): void {
    writeFileSync(this.#faultFile, `${point}:${count}`)
  }

  /** Until a worker has died where it was told to. */
  async faultStruck(): Promise<void> {
    await this.#until(() => !existsSync(this.#faultFile))
  }

  get #faultFile(): string {
    return join(this.folder, 'fault')
  }

  /** What the provider saw, of sessions whose names begin so. */
  async requests(session = ''): Promise<readonly ProviderRequest[]> {
    const { provider } = this.#options
    if (provider) return provider.requests.filter((request) => request.session.startsWith(session))
    const query = `bodies&session=${encodeURIComponent(session)}`
    const response = await fetch(`${this.#fakeUrl.replace(/\/api\/v1$/, '')}/_fake/requests?${query}`)
    const body = (await response.json()) as ProviderRequest[] | { requests: ProviderRequest[] }
    return Array.isArray(body) ? body : body.requests
  }

  async close(): Promise<void> {
    await this.#pool?.end()
    this.#pool = undefined
    if (this.#up) await this.down('SIGTERM').catch(() => this.down('SIGKILL'))
    this.#fake?.kill('SIGKILL')
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  /** Waits for a condition that changes with a line of `up`, or with time. */
  async #until(holds: () => boolean, ms = 90_000): Promise<void> {
    const deadline = Date.now() + ms
    while (!holds()) {
      if (this.#up?.exitCode != null && this.#up.exitCode !== 0)
        throw new Error(`up has ended:\n${this.#output}`)
      if (Date.now() > deadline) throw new Error(`waited in vain:\n${this.#output.slice(-3_000)}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 50)
        this.#wake.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }
}

export interface ProviderRequest {
  id: string
  session: string
  at: number
  abortedAt?: number
  billedMicroUsd: number
  body: { messages: { role: string }[] }
}

function mustBe<T>(value: T | undefined | null): T {
  if (value === undefined || value === null) throw new Error('not started')
  return value
}
