import type { Backfilled, BackfillSchedule, PutSchedule, Schedule, TriggerSchedule } from '@devflow/contracts'
import { type Listing, listing } from './listing.ts'
import type { CallOptions, PostOptions } from './options.ts'
import { path } from './paths.ts'
import type { Transport } from './transport.ts'
import type { PageQuery } from './types.ts'

/** Schedules: runs started at times. */
export class Schedules {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Schedules by id, with their next times and what became of the latest. */
  list(query: PageQuery = {}, options?: CallOptions): Listing<Schedule> {
    return listing(this.#transport, '/v1/schedules', { ...query }, options)
  }

  async get(id: string, options?: CallOptions): Promise<Schedule> {
    return await this.#transport.json({ method: 'GET', path: path`/v1/schedules/${id}`, ...options })
  }

  /** Makes a schedule or replaces it. Rejects with ValidationError `invalid_schedule` when a time or an expression is wrong. */
  async put(id: string, schedule: PutSchedule, options?: CallOptions): Promise<Schedule> {
    return await this.#transport.put(path`/v1/schedules/${id}`, schedule, options)
  }

  /** Deletes a schedule; runs it has started go on. */
  async delete(id: string, options?: CallOptions): Promise<void> {
    await this.#transport.delete(path`/v1/schedules/${id}`, options)
  }

  /** Times that pass until it is resumed are not made. */
  async pause(id: string, reason?: string, options?: PostOptions): Promise<Schedule> {
    return await this.#transport.post(path`/v1/schedules/${id}/pause`, { reason }, options)
  }

  /** Its times count from now. */
  async resume(id: string, options?: PostOptions): Promise<Schedule> {
    return await this.#transport.post(path`/v1/schedules/${id}/resume`, undefined, options)
  }

  /** Submits its run now, paused or not. */
  async trigger(id: string, how: TriggerSchedule = {}, options?: PostOptions): Promise<Schedule> {
    return await this.#transport.post(path`/v1/schedules/${id}/trigger`, how, options)
  }

  /** Submits runs for those of its times in a range of the past that were not made. */
  async backfill(id: string, range: BackfillSchedule, options?: PostOptions): Promise<Backfilled> {
    return await this.#transport.post(path`/v1/schedules/${id}/backfill`, range, options)
  }
}
