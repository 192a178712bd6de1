import type { Delivery, PutWebhook, Replayed, Webhook, WebhookSecret } from '@devflow/contracts'
import { type Listing, listing } from './listing.ts'
import type { CallOptions, PostOptions } from './options.ts'
import { path } from './paths.ts'
import type { Transport } from './transport.ts'
import type { PageQuery } from './types.ts'

/** Webhooks: addresses told of what happens in runs. */
export class Webhooks {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Webhooks by id. */
  list(query: PageQuery = {}, options?: CallOptions): Listing<Webhook> {
    return listing(this.#transport, '/v1/webhooks', { ...query }, options)
  }

  async get(id: string, options?: CallOptions): Promise<Webhook> {
    return await this.#transport.json({ method: 'GET', path: path`/v1/webhooks/${id}`, ...options })
  }

  /** Makes a webhook, and then alone its `secret` is answered; or changes it. */
  async put(id: string, webhook: PutWebhook, options?: CallOptions): Promise<Webhook> {
    return await this.#transport.put(path`/v1/webhooks/${id}`, webhook, options)
  }

  /** Deletes a webhook, with what it was still to be told. */
  async delete(id: string, options?: CallOptions): Promise<void> {
    await this.#transport.delete(path`/v1/webhooks/${id}`, options)
  }

  /** Gives a webhook a new secret; the one before signs as well for a day. */
  async renewSecret(id: string, options?: PostOptions): Promise<WebhookSecret> {
    return await this.#transport.post(path`/v1/webhooks/${id}/secret`, undefined, options)
  }

  /** What a webhook was told, or is to be told, newest first. */
  deliveries(
    id: string,
    query: PageQuery & { status?: Delivery['status'] } = {},
    options?: CallOptions,
  ): Listing<Delivery> {
    return listing(this.#transport, path`/v1/webhooks/${id}/deliveries`, { ...query }, options)
  }

  /** Tries dead deliveries anew: one, by its id, or all. */
  async replay(id: string, delivery?: string, options?: PostOptions): Promise<Replayed> {
    return await this.#transport.post(path`/v1/webhooks/${id}/replay`, { delivery }, options)
  }
}
