import { queueWakes, unfinishedRuns } from '@devflow/db'
import type { Logger } from '@devflow/process'
import type { Client } from '@temporalio/client'
import type pg from 'pg'
import { registerSearchAttributes } from './temporal.ts'

const CALL_TIMEOUT_MS = 2_000

/**
 * Watches Temporal. Whenever it was away its store may have been lost, whole or back to an older state, and with it
 * workflows and wakes: then every unfinished run is woken, and finds its place by the log (I14).
 */
export class TemporalWatch {
  readonly #pool: pg.Pool
  readonly #client: Client
  readonly #namespace: string
  readonly #log: Logger
  #away = true

  constructor(pool: pg.Pool, client: Client, namespace: string, log: Logger) {
    this.#pool = pool
    this.#client = client
    this.#namespace = namespace
    this.#log = log
  }

  get isThere(): boolean {
    return !this.#away
  }

  /** What the first look does, and each that finds Temporal back; throws when it cannot be used. */
  async begin(): Promise<void> {
    await registerSearchAttributes(this.#client, this.#namespace)
    const runs = await unfinishedRuns(this.#pool, 0)
    if (runs.length > 0) {
      this.#log.info({ count: runs.length }, 'Temporal is there: unfinished runs are woken')
      await queueWakes(this.#pool, runs)
    }
    this.#away = false
  }

  /** To be called every second or so. Answers whether Temporal is there. */
  async look(): Promise<boolean> {
    try {
      await this.#client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
        this.#client.workflowService.getSystemInfo({}),
      )
      if (this.#away) await this.begin()
    } catch (error) {
      if (!this.#away) this.#log.warn({ err: error }, 'Temporal is away; runs wait for it')
      this.#away = true
    }
    return !this.#away
  }
}
