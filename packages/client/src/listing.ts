import type { CallOptions } from './options.ts'
import { type QueryValue, queryOf } from './paths.ts'
import type { Transport } from './transport.ts'
import type { Page, PageQuery } from './types.ts'

/** A list: awaited it is its first page, iterated it is every item, page after page. Nothing is asked for before. */
export class Listing<Item> implements PromiseLike<Page<Item>>, AsyncIterable<Item> {
  readonly #read: (cursor?: string) => Promise<Page<Item>>

  constructor(read: (cursor?: string) => Promise<Page<Item>>) {
    this.#read = read
  }

  then<Result1 = Page<Item>, Result2 = never>(
    onPage?: ((page: Page<Item>) => Result1 | PromiseLike<Result1>) | null,
    onError?: ((error: unknown) => Result2 | PromiseLike<Result2>) | null,
  ): Promise<Result1 | Result2> {
    return this.#read().then(onPage, onError)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    let page = await this.#read()
    yield* page.items
    while (page.nextCursor !== undefined) {
      page = await this.#read(page.nextCursor)
      yield* page.items
    }
  }
}

/** The list at a path. */
export function listing<Item>(
  transport: Transport,
  path: string,
  query: PageQuery & Record<string, QueryValue>,
  options?: CallOptions,
  labels?: Record<string, string>,
): Listing<Item> {
  return new Listing((cursor = query.cursor) =>
    transport.json<Page<Item>>({
      method: 'GET',
      path: path + queryOf({ ...query, cursor }, labels),
      ...options,
    }),
  )
}
