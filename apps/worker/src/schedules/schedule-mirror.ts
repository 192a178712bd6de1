import { catchUp } from '@devflow/activities'
import { CHANNELS, TEMPORAL } from '@devflow/contracts'
import {
  allSchedules,
  mirrorAnew,
  mirroredSchedules,
  mirrorOnce,
  type ScheduleRef,
  type StoredSchedule,
  schedulesBehind,
  schedulesToMirror,
} from '@devflow/db'
import type { Logger } from '@devflow/process'
import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client'
import type pg from 'pg'
import { noteOf, temporalSchedule } from './temporal-schedule.ts'

const AT_ONCE = 8
const CALL_TIMEOUT_MS = 5_000
/** Temporal is given so long to tell of a time by itself. */
const GRACE_MS = 5_000
/** gRPC's INVALID_ARGUMENT. */
const INVALID_ARGUMENT = 3

export interface MirrorDeps {
  pool: pg.Pool
  client: Client
  log: Logger
}

/**
 * Makes Temporal's schedules like those in Postgres, which are the truth. Temporal may be away when one is changed, and may
 * lose its store, whole or back to an older state: then they are made anew. Times that it did not tell of are caught up from
 * the spec; a time counts once, whoever tells of it (I14).
 */
export class ScheduleMirror {
  readonly #deps: MirrorDeps
  readonly #everyMs: number
  /** When all of Temporal's schedules are compared again. */
  #compareAt = 0

  constructor(deps: MirrorDeps, everyMs: number) {
    this.#deps = deps
    this.#everyMs = everyMs
  }

  /** To be called every second or so. `isThere`: whether Temporal is; when it comes back, its store may be another. */
  async keep(isThere: boolean): Promise<void> {
    if (!isThere) {
      this.#compareAt = 0
      return
    }
    if (performance.now() >= this.#compareAt) {
      await this.#compare()
      await this.#catchUp()
      this.#compareAt = performance.now() + this.#everyMs
    }
    const { pool } = this.#deps
    const due = await schedulesToMirror(pool, 64)
    for (let from = 0; from < due.length; from += AT_ONCE)
      await Promise.all(due.slice(from, from + AT_ONCE).map((ref) => this.#mirror(ref)))
  }

  /** Finds those that Temporal lost or has otherwise, and removes what no row asks for. */
  async #compare(): Promise<void> {
    const { pool, client, log } = this.#deps
    const there = new Map<string, { note: string | undefined; paused: boolean }>()
    for await (const { scheduleId, state, action } of client.schedule.list())
      if (action?.workflowType === TEMPORAL.occasionWorkflow)
        there.set(scheduleId, { note: undefined, ...state })
    const wanted = await mirroredSchedules(pool)
    const unlike = wanted.filter(({ tenant, id, version, paused }) => {
      const found = there.get(TEMPORAL.scheduleId(tenant, id))
      return found?.note !== noteOf(version) || found.paused !== paused
    })
    if (unlike.length > 0) {
      log.info({ count: unlike.length }, 'schedules that Temporal has otherwise are mirrored anew')
      await mirrorAnew(pool, unlike)
    }
    // Read after the list: what was made meanwhile is known.
    const known = new Set((await allSchedules(pool)).map(({ tenant, id }) => TEMPORAL.scheduleId(tenant, id)))
    for (const scheduleId of there.keys()) if (!known.has(scheduleId)) await this.#remove(scheduleId)
  }

  /** Makes due what Temporal did not tell of: it had lost its store, or clocks were put back. */
  async #catchUp(): Promise<void> {
    const { pool } = this.#deps
    const until = new Date(Date.now() - GRACE_MS)
    await this.#tellOf(await catchUp(pool, await schedulesBehind(pool, until), until))
  }

  async #mirror(ref: ScheduleRef): Promise<void> {
    const { pool, log } = this.#deps
    let added = 0
    await mirrorOnce(pool, ref, async (db, schedule) => {
      if (schedule.deleted_at !== null) {
        await this.#remove(TEMPORAL.scheduleId(schedule.tenant, schedule.id))
        return undefined
      }
      const refusal = await this.#put(schedule)
      if (refusal !== undefined) log.warn({}, `Temporal refuses the schedule ${schedule.id}: ${refusal}`)
      added = await catchUp(db, [schedule], new Date())
      return refusal
    })
    await this.#tellOf(added)
  }

  async #tellOf(added: number): Promise<void> {
    if (added === 0) return
    this.#deps.log.info({ count: added }, 'times of schedules are caught up')
    await this.#deps.pool.query('select pg_notify($1, $2)', [CHANNELS.topics, ''])
  }

  /** Makes it or changes it; answers why Temporal does not take it, when it never will. */
  async #put(schedule: StoredSchedule): Promise<string | undefined> {
    const { client } = this.#deps
    const options = temporalSchedule(schedule)
    try {
      await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, async () => {
        try {
          await client.schedule.create(options)
        } catch (error) {
          if (!(error instanceof ScheduleAlreadyRunning)) throw error
          const { spec, action, policies = {}, state = {} } = options
          await client.schedule
            .getHandle(options.scheduleId)
            .update(() => ({ spec, action, policies, state }))
        }
      })
      return undefined
    } catch (error) {
      const refusal = refusalIn(error)
      if (refusal === undefined) throw error
      return refusal
    }
  }

  async #remove(scheduleId: string): Promise<void> {
    const { client } = this.#deps
    try {
      await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
        client.schedule.getHandle(scheduleId).delete(),
      )
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error
    }
  }
}

function refusalIn(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if ('code' in cause && cause.code === INVALID_ARGUMENT)
      return 'details' in cause ? String(cause.details) : cause.message
  return undefined
}
