import type { FakeProvider, ProviderReply } from '@devflow/testing'
import { afterEach, beforeEach } from 'vitest'
import type { ModelAdapter, ModelEvent, ModelRequest } from '../model.ts'
import { collect, READ_FILE } from './harness.fixture.ts'

/** What differs from provider to provider. `Options`: what a test may set of its adapter. */
interface Own<Body, Options> {
  start(): Promise<FakeProvider<Body>>
  adapter(fake: FakeProvider<Body>, options?: Options): ModelAdapter
  request: Pick<ModelRequest, 'model'> & Partial<ModelRequest>
}

/** A fake provider for each test of a file, for what only this provider does: asked by its adapter, answering in its own words. */
export class AskedProvider<Body, Options = never> {
  readonly #own: Own<Body, Options>
  #fake: FakeProvider<Body> | undefined

  constructor(own: Own<Body, Options>) {
    this.#own = own
    beforeEach(async () => {
      this.#fake = await own.start()
    })
    afterEach(() => this.leave())
  }

  get fake(): FakeProvider<Body> {
    if (!this.#fake) throw new Error('the fake runs only within a test')
    return this.#fake
  }

  /** Closes the fake: from now on nobody listens at its address. */
  async leave(): Promise<void> {
    const fake = this.#fake
    this.#fake = undefined
    await fake?.close()
  }

  adapter(options?: Options): ModelAdapter {
    return this.#own.adapter(this.fake, options)
  }

  /** All that comes of one request that is answered so. */
  readonly ask = async (
    reply: ProviderReply,
    more: Partial<ModelRequest> = {},
    options?: Options,
  ): Promise<ModelEvent[]> => {
    this.fake.script(() => reply)
    return await collect(this.adapter(options).stream(this.request(more), new AbortController().signal))
  }

  /** The body of the last request, as the provider saw it. */
  readonly lastBody = (): Body => {
    const body = this.fake.requests.at(-1)?.body
    if (body === undefined) throw new Error('nothing was asked')
    return body
  }

  request(more: Partial<ModelRequest> = {}): ModelRequest {
    return {
      messages: [
        { role: 'system', content: 'You are a test.' },
        { role: 'user', content: 'Go.' },
      ],
      tools: [READ_FILE],
      maxOutputTokens: 1000,
      sessionId: 'run/spec/1',
      phase: 'spec',
      attempt: 1,
      turn: 4,
      ...this.#own.request,
      ...more,
    }
  }
}
