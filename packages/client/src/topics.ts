import type { EventPublished, PublishEvent, TopicEvent, TopicEventPage } from '@devflow/contracts'
import { ConnectionError } from './errors.ts'
import { eventStream } from './event-stream.ts'
import type { CallOptions, PostOptions } from './options.ts'
import { queryOf } from './paths.ts'
import type { Transport } from './transport.ts'

export interface TopicOptions {
  /** `orders.paid`, `orders.*` for one word more, `orders.**` for any; all topics unless told. */
  topics?: readonly string[]
  /** Events after this seq. */
  after?: number
}

/** Events from outside, by topic. */
export class Topics {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Publishes an event: runs that wait for it go on, triggers start others. The same topic and `id` count once. */
  async publish(event: PublishEvent, options?: PostOptions): Promise<EventPublished> {
    return await this.#transport.post('/v1/events', event, options)
  }

  /** A page of events, oldest first; go on with `after: nextAfter`. */
  async read(
    { topics, limit, ...query }: TopicOptions & { limit?: number } = {},
    options?: CallOptions,
  ): Promise<TopicEventPage> {
    const path = `/v1/events${queryOf({ topic: topics, limit, ...query })}`
    return await this.#transport.json({ method: 'GET', path, ...options })
  }

  /** Events as they come, without end, each once: from now on, unless `after` says otherwise. */
  async *follow({
    topics,
    after,
    signal,
  }: TopicOptions & { signal?: AbortSignal } = {}): AsyncGenerator<TopicEvent, never, undefined> {
    const path = `/v1/events${queryOf({ topic: topics })}`
    const lastId = after === undefined ? undefined : String(after)
    for await (const { data } of eventStream(this.#transport, { path, lastId, signal }))
      yield data as TopicEvent
    throw new ConnectionError('UNAVAILABLE', 'stream_ended', 'The API ended a stream that has no end.')
  }
}
