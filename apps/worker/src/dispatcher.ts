import { CHANNELS, TEMPORAL } from '@devflow/contracts'
import { claimWakes, type Listener, nextWakeInMs, postponeWakes, settleWakes, type Wake } from '@devflow/db'
import { type Logger, type Repeating, repeat } from '@devflow/process'
import type { Client } from '@temporalio/client'
import type pg from 'pg'

const MOST_AT_ONCE = 64
/** A poke that was lost only delays a wake by this much. */
const SLOWEST_LOOK_MS = 1_000
const LONGEST_POSTPONEMENT_MS = 2_000
const CALL_TIMEOUT_MS = 5_000

export interface DispatcherDeps {
  pool: pg.Pool
  listener: Listener
  client: Client
  log: Logger
}

/**
 * Brings the outbox to Temporal: a wake starts the run's workflow or signals the one there is. At least once and in
 * any order, since a wake says nothing but «read your log». Several may run, in several processes.
 */
export class Dispatcher {
  readonly #deps: DispatcherDeps
  readonly #looking: Repeating
  readonly #unsubscribe: () => void

  constructor(deps: DispatcherDeps) {
    this.#deps = deps
    const { listener, log } = deps
    this.#looking = repeat(
      (nextInMs = SLOWEST_LOOK_MS) => nextInMs,
      () => this.#look(),
      (error) => log.warn({ err: error }, 'could not read the outbox'),
    )
    const { hurry } = this.#looking
    this.#unsubscribe = listener.subscribe(CHANNELS.outbox, { notified: hurry, lookAgain: hurry })
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    await this.#looking.stop()
  }

  /** Resolves to the ms until there is something to look at again. */
  async #look(): Promise<number> {
    const { pool } = this.#deps
    const wakes = await claimWakes(pool, MOST_AT_ONCE)
    if (wakes.length > 0) {
      await this.#deliver(wakes)
      return 0
    }
    const dueInMs = (await nextWakeInMs(pool)) ?? SLOWEST_LOOK_MS
    return Math.min(SLOWEST_LOOK_MS, Math.max(1, dueInMs))
  }

  /** What Temporal took is settled in one statement; the rest comes back after a while. */
  async #deliver(wakes: Wake[]): Promise<void> {
    const { pool, log } = this.#deps
    const results = await Promise.allSettled(wakes.map((wake) => this.#wake(wake)))
    const taken = wakes.filter((_, index) => results[index]?.status === 'fulfilled')
    const left = wakes.filter((_, index) => results[index]?.status === 'rejected')
    if (taken.length > 0) await settleWakes(pool, taken)
    if (left.length === 0) return
    const failure = results.find((result) => result.status === 'rejected')
    const most = Math.max(...left.map(({ attempts }) => attempts))
    const delay = Math.min(100 * 2 ** Math.min(most, 10), LONGEST_POSTPONEMENT_MS)
    log.warn(
      { err: failure?.reason, count: left.length },
      'Temporal did not take wakes; they will be repeated',
    )
    await postponeWakes(pool, left, delay)
  }

  async #wake(wake: Wake): Promise<void> {
    const { client } = this.#deps
    await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
      client.workflow.signalWithStart(TEMPORAL.workflowType, {
        workflowId: TEMPORAL.workflowId(wake.runId),
        taskQueue: TEMPORAL.workflowQueue,
        args: [{ runId: wake.runId }],
        signal: TEMPORAL.signals.wake,
        signalArgs: [],
        // A run that was retried starts again under its id; one that runs is only signalled.
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowIdConflictPolicy: 'USE_EXISTING',
        searchAttributes: {
          DevflowRun: [wake.runId],
          DevflowTemplate: [wake.template],
          DevflowTenant: [wake.tenant],
          DevflowStatus: [wake.status],
        },
        staticSummary: wake.title,
        staticDetails: `Run \`${wake.runId}\` of template \`${wake.template}\`. What happened is in the run's log.`,
      }),
    )
  }
}
