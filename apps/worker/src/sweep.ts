import { TEMPORAL } from '@devflow/contracts'
import { queueWakes, unfinishedRuns } from '@devflow/db'
import type { Logger } from '@devflow/process'
import type { Client } from '@temporalio/client'
import type pg from 'pg'
import { registerSearchAttributes } from './temporal.ts'

const CALL_TIMEOUT_MS = 2_000

/**
 * Watches Temporal. Whenever it was away its store may have been lost, whole or back to an older state, and with it
 * workflows and wakes: then every unfinished run is woken, and finds its place by the log (I14). Now and then runs
 * without a workflow are looked for as well: someone may have ended theirs.
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

  /** To be called every second or so. Answers whether Temporal is there. */
  async look(): Promise<boolean> {
    try {
      await this.#client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
        this.#client.workflowService.getSystemInfo({}),
      )
      if (this.#away) await this.#isBack()
      this.#away = false
    } catch (error) {
      if (!this.#away) this.#log.warn({ err: error }, 'Temporal is away; runs wait for it')
      this.#away = true
    }
    return !this.#away
  }

  /** Wakes runs that have no workflow. */
  async sweep(olderThanMs: number): Promise<void> {
    const open = new Set<string>()
    for await (const { workflowId } of this.#client.workflow.list({
      query: `WorkflowType = '${TEMPORAL.workflowType}' AND ExecutionStatus = 'Running'`,
    }))
      open.add(workflowId)
    const runs = await unfinishedRuns(this.#pool, olderThanMs)
    const lost = runs.filter((run) => !open.has(TEMPORAL.workflowId(run)))
    if (lost.length === 0) return
    this.#log.warn({ count: lost.length }, 'runs without a workflow are woken')
    await queueWakes(this.#pool, lost)
  }

  async #isBack(): Promise<void> {
    await registerSearchAttributes(this.#client, this.#namespace)
    const runs = await unfinishedRuns(this.#pool, 0)
    if (runs.length > 0) {
      this.#log.info({ count: runs.length }, 'Temporal is there: unfinished runs are woken')
      await queueWakes(this.#pool, runs)
    }
  }
}
