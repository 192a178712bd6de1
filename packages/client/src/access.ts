import type { Me, NewToken, PostToken, Token } from '@devflow/contracts'
import { type Listing, listing } from './listing.ts'
import type { CallOptions, PostOptions } from './options.ts'
import { path } from './paths.ts'
import type { Transport } from './transport.ts'
import type { PageQuery } from './types.ts'

/** Who is calling, and tokens for others to call with. */
export class Access {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Who is calling, and what they may. */
  async me(options?: CallOptions): Promise<Me> {
    return await this.#transport.json({ method: 'GET', path: '/v1/me', ...options })
  }

  /**
   * Mints a token. Its `token` is shown this once: it is missing where an answer was lost on its way and had to be asked for
   * again; revoke that one, and mint another.
   */
  async mint(token: PostToken, options?: PostOptions): Promise<NewToken> {
    return await this.#transport.post('/v1/tokens', token, options)
  }

  /** Tokens, the latest first: all of them for an admin, else those of the caller. */
  list(query: PageQuery = {}, options?: CallOptions): Listing<Token> {
    return listing(this.#transport, '/v1/tokens', { ...query }, options)
  }

  /** Revokes a token, and those that were minted with it for the same principal. */
  async revoke(id: string, options?: CallOptions): Promise<void> {
    await this.#transport.delete(path`/v1/tokens/${id}`, options)
  }
}
