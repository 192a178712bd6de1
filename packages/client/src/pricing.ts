import type { PriceListView, PriceView } from '@devflow/contracts'
import { Listing } from './listing.ts'
import type { CallOptions, PostOptions } from './options.ts'
import { queryOf } from './paths.ts'
import type { Transport } from './transport.ts'
import type { Page, PageQuery } from './types.ts'

export interface PriceQuery extends PageQuery {
  provider?: string
  /** Part of the model's name, in any case. */
  model?: string
}

/** Prices of models, in micro-dollars per token. */
export class Pricing {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** The price in force of each model, by provider and name. */
  list(query: PriceQuery = {}, options?: CallOptions): Listing<PriceView> {
    return new Listing((cursor = query.cursor) => this.#page({ ...query, cursor }, options))
  }

  /** How the reading of price lists stands, and how old they are. */
  async lists(options?: CallOptions): Promise<PriceListView[]> {
    return (await this.#page({ limit: 1 }, options)).lists
  }

  /** Has the price list read, and waits for it so many seconds (30). `error` says why it could not be. */
  async refresh({
    waitSeconds = 30,
    ...options
  }: PostOptions & { waitSeconds?: number } = {}): Promise<PriceListView> {
    return await this.#transport.post('/v1/pricing/refresh', {}, { waitSeconds, ...options })
  }

  async #page(
    query: PriceQuery,
    options?: CallOptions,
  ): Promise<Page<PriceView> & { lists: PriceListView[] }> {
    const path = `/v1/pricing${queryOf({ ...query })}`
    return await this.#transport.json({ method: 'GET', path, ...options })
  }
}
