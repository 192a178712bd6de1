import { TEMPORAL } from '@devflow/contracts'
import type { Connection } from '@temporalio/client'
import type pg from 'pg'

export interface ReadinessOptions {
  pool: pg.Pool
  address: string
  namespace: string
  /** Bounds each look, in ms; 2,000 unless told. */
  timeoutMs?: number
}

/** What is missing, in words for an operator; empty when all is there. */
export type Missing = { part: 'postgres' | 'temporal' | 'workers'; message: string }[]

/**
 * A live worker's poll is renewed each minute. Temporal lists pollers for minutes after their death, so one counts
 * only when it has asked within this time; a worker killed a moment ago is therefore seen as there for up to that long.
 */
const POLL_FRESH_MS = 70_000
const WORKFLOW_QUEUE = 1
const ACTIVITY_QUEUE = 2

/** Looks whether Postgres and Temporal answer and workers poll. Connects to Temporal when first asked. */
export class Readiness {
  readonly #options: ReadinessOptions
  #connection: Connection | undefined
  #looking: Promise<Missing> | undefined

  constructor(options: ReadinessOptions) {
    this.#options = options
  }

  /** Never rejects. Looks asked for at once are one. */
  async missing(): Promise<Missing> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return await this.#looking
  }

  async close(): Promise<void> {
    await this.#looking
    await this.#connection?.close()
  }

  async #look(): Promise<Missing> {
    const [postgres, temporal] = await Promise.all([this.#postgres(), this.#temporal()])
    return [...postgres, ...temporal]
  }

  async #postgres(): Promise<Missing> {
    const { pool } = this.#options
    const answers = await this.#within(() => pool.query('select 1'))
    return answers ? [] : [{ part: 'postgres', message: 'Postgres does not answer.' }]
  }

  async #temporal(): Promise<Missing> {
    const { address, namespace, timeoutMs = 2_000 } = this.#options
    this.#connection ??= await connectionTo(address)
    const connection = this.#connection
    const ask = <T>(call: () => Promise<T>) => connection.withDeadline(Date.now() + timeoutMs, call)
    const service = connection.workflowService
    if (!(await this.#within(() => ask(() => service.getSystemInfo({}))))) {
      return [{ part: 'temporal', message: `Temporal does not answer at ${address}.` }]
    }
    const queues = [
      { name: TEMPORAL.workflowQueue, type: WORKFLOW_QUEUE },
      { name: TEMPORAL.sessionQueue, type: ACTIVITY_QUEUE },
    ]
    const looks = queues.map(async ({ name, type }): Promise<Missing> => {
      const request = { namespace, taskQueue: { name }, taskQueueType: type }
      const answer = await this.#within(() => ask(() => service.describeTaskQueue(request)))
      const isPolled = answer?.pollers?.some((poller) => {
        const seconds = Number(poller.lastAccessTime?.seconds ?? 0)
        return Date.now() - seconds * 1000 < POLL_FRESH_MS
      })
      return isPolled ? [] : [{ part: 'workers', message: `No worker polls ${name}.` }]
    })
    return (await Promise.all(looks)).flat()
  }

  /** What `call` answers in time; undefined when it fails or takes too long: this look's finding either way. */
  async #within<T>(call: () => Promise<T>): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.#options.timeoutMs ?? 2_000)
    })
    try {
      return await Promise.race([call().catch(() => undefined), timeout])
    } finally {
      clearTimeout(timer)
    }
  }
}

/** The SDK is loaded with the first look: nothing else asks Temporal, and it takes a tenth of the API's start. */
async function connectionTo(address: string): Promise<Connection> {
  const { Connection } = await import('@temporalio/client')
  return Connection.lazy({
    address,
    // One look is one call. The SDK's retries would also outlive this connection, and throw when it is closed.
    interceptors: [],
    // A channel that lost its server otherwise sits in its backoff for longer than anyone waits.
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1_000 },
  })
}
