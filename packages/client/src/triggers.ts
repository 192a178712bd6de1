import type { PutTrigger, Trigger } from '@devflow/contracts'
import { type Listing, listing } from './listing.ts'
import type { CallOptions } from './options.ts'
import { path } from './paths.ts'
import type { Transport } from './transport.ts'
import type { PageQuery } from './types.ts'

/** Triggers: runs started by events from outside. */
export class Triggers {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Triggers by id. */
  list(query: PageQuery = {}, options?: CallOptions): Listing<Trigger> {
    return listing(this.#transport, '/v1/triggers', { ...query }, options)
  }

  async get(id: string, options?: CallOptions): Promise<Trigger> {
    return await this.#transport.json({ method: 'GET', path: path`/v1/triggers/${id}`, ...options })
  }

  /** Makes a trigger or replaces it. Rejects with ValidationError `invalid_trigger` when an expression of it is wrong. */
  async put(id: string, trigger: PutTrigger, options?: CallOptions): Promise<Trigger> {
    return await this.#transport.put(path`/v1/triggers/${id}`, trigger, options)
  }

  /** Deletes a trigger; runs it has started go on. */
  async delete(id: string, options?: CallOptions): Promise<void> {
    await this.#transport.delete(path`/v1/triggers/${id}`, options)
  }
}
