import type { CallOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** How the API is now: nothing is tried again unless told. */
export class Health {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Resolves when the API answers. */
  async alive(options?: CallOptions): Promise<void> {
    await this.#transport.json({ method: 'GET', path: '/healthz', retries: 0, ...options })
  }

  /** Resolves when runs can be taken and go on; rejects with UnavailableError, whose `errors` name what is missing. */
  async ready(options?: CallOptions): Promise<void> {
    await this.#transport.json({ method: 'GET', path: '/readyz', retries: 0, ...options })
  }
}
