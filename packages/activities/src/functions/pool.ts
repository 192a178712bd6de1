import { type BoundFunction, DevflowError } from '@devflow/contracts'
import { canonicalHash } from '@devflow/definition'
import type { Sandbox } from '../sandbox/index.ts'
import { grantsOf, type Withheld } from './grants.ts'
import { type Call, FunctionProcess } from './process.ts'

export interface PoolOptions {
  sandbox: Sandbox
  withheld: Withheld
  /** Where the values of declared variables are taken from. */
  environment: NodeJS.ProcessEnv
  /** Processes at once, those that wait for their next call included. */
  most: number
  memoryMb: number
  /** How long a process waits for its next call. */
  idleMs: number
}

interface Idle {
  key: string
  process: FunctionProcess
  timer: NodeJS.Timeout
}

/**
 * Warm processes of functions. A process serves one function with one set of permissions and one tenant, one call at a
 * time; when all are busy calls wait in the order they came.
 */
export class FunctionPool {
  readonly #options: PoolOptions
  readonly #idle: Idle[] = []
  readonly #waiting: (() => void)[] = []
  #count = 0
  #closed = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /** Calls a function; throws what `FunctionProcess.call` and `grantsOf` throw. */
  async call(tenant: string, called: BoundFunction, call: Call): Promise<unknown> {
    // Two entries of the same source are two functions: what one may touch the other may not.
    const key = canonicalHash([tenant, called])
    const process = await this.#take(key, called, call.signal)
    try {
      return await process.call(call)
    } finally {
      this.#giveBack(key, process)
    }
  }

  /** Values of declared variables, to be kept out of all that is stored. */
  secretsOf({ permissions }: BoundFunction): string[] {
    return permissions.env.flatMap((name) => this.#options.environment[name] ?? [])
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const wake of this.#waiting.splice(0)) wake()
    await Promise.all(this.#idle.splice(0).map((idle) => this.#drop(idle)))
  }

  async #take(key: string, called: BoundFunction, signal: AbortSignal): Promise<FunctionProcess> {
    for (;;) {
      signal.throwIfAborted()
      if (this.#closed)
        throw new DevflowError('UNAVAILABLE', 'writer_closed', 'This process is shutting down.')
      const own = this.#idle.findLast((idle) => idle.key === key)
      if (own) {
        this.#idle.splice(this.#idle.indexOf(own), 1)
        clearTimeout(own.timer)
        if (own.process.isFresh) return own.process
        await this.#drop(own)
        continue
      }
      if (this.#count < this.#options.most) return await this.#start(called)
      // The one that has waited longest makes way.
      const oldest = this.#idle.shift()
      if (oldest) await this.#drop(oldest)
      else await this.#turn(signal)
    }
  }

  async #start(called: BoundFunction): Promise<FunctionProcess> {
    this.#count += 1
    try {
      return await FunctionProcess.start(called, grantsOf(called, this.#options), this.#options)
    } catch (error) {
      this.#count -= 1
      this.#waiting.shift()?.()
      throw error
    }
  }

  #giveBack(key: string, process: FunctionProcess): void {
    const idle: Idle = { key, process, timer: setTimeout(() => this.#expire(idle), this.#options.idleMs) }
    idle.timer.unref()
    if (process.isFresh && !this.#closed) {
      this.#idle.push(idle)
      this.#waiting.shift()?.()
    } else void this.#drop(idle)
  }

  #expire(idle: Idle): void {
    const at = this.#idle.indexOf(idle)
    if (at < 0) return
    this.#idle.splice(at, 1)
    void this.#drop(idle)
  }

  async #drop({ process, timer }: Idle): Promise<void> {
    clearTimeout(timer)
    await process.close()
    this.#count -= 1
    this.#waiting.shift()?.()
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
    await promise
    const at = this.#waiting.indexOf(resolve)
    if (at >= 0) this.#waiting.splice(at, 1)
  }
}
