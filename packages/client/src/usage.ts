import type { UsageBy, UsageItem } from '@devflow/contracts'
import { type Listing, listing } from './listing.ts'
import type { CallOptions } from './options.ts'
import { queryOf } from './paths.ts'
import { CSV, type Transport } from './transport.ts'
import type { PageQuery } from './types.ts'

export interface UsageQuery {
  by: UsageBy
  /** With `by: 'label'`: the label whose values are meant. */
  label?: string
  /** Calls from this UTC day (`2030-01-31`) or time on. */
  from?: string | Date
  /** Calls up to the end of this UTC day, or before this time. */
  to?: string | Date
}

/** What was used and what it cost: sums of the ledger, also over runs that were deleted since. */
export class Usage {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Days and runs newest first, all else in the order of its text. */
  list(query: UsageQuery & PageQuery, options?: CallOptions): Listing<UsageItem> {
    return listing(this.#transport, '/v1/usage', { ...query }, options)
  }

  /** All of it as CSV, under a line of field names; money digit by digit, as no double spoils it. */
  async csv(query: UsageQuery, options?: CallOptions): Promise<string> {
    const request = {
      method: 'GET',
      path: `/v1/usage${queryOf({ ...query })}`,
      headers: CSV,
      ...options,
    } as const
    return await this.#transport.send(request, (response) => response.text())
  }
}
