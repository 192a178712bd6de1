import { CHANNELS, PublishEvent, TopicPattern } from '@devflow/contracts'
import { publishEvent, readTopicEvents } from '@devflow/db'
import { z } from 'zod'
import { EventPublishedBody, TopicEventPage } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { TOPIC_EVENT } from '../examples.ts'
import { KEY_HEADER, KEY_PROBLEMS, keyed, keyedResponse, REPLAYED, REPLAYED_HEADER } from '../keyed.ts'
import { eventStream } from '../live/event-stream.ts'
import { followTopics } from '../live/follow-topics.ts'
import { lastEventId, Seq, wantsStream } from '../live/stream-request.ts'
import type { Operations } from '../operation.ts'
import { whole } from '../query.ts'

const MOST_PATTERNS = 20

const Query = z.strictObject({
  topic: z
    .union([z.string(), z.array(z.string())])
    .default('**')
    .transform((given) => [given].flat().flatMap((text) => text.split(',')))
    .pipe(z.array(TopicPattern).max(MOST_PATTERNS))
    .meta({ exact: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: MOST_PATTERNS } })
    .describe('`orders.paid`, `orders.*` for one word more, `orders.**` for any; several with commas.'),
  after: Seq.optional(),
  limit: whole(1, 1_000).default(200),
})

/** Events from outside: published once, followed by topic. */
export function topicEventRoutes(operations: Operations, deps: ApiDeps): void {
  const { pool, tenant, poker, listener, heartbeatMs, closing, log } = deps

  operations.add(
    {
      method: 'post',
      path: '/v1/events',
      operationId: 'publishEvent',
      scope: 'runs:write',
      summary: 'Publish an event: runs that wait for it go on, triggers start others',
      tag: 'topics',
      body: PublishEvent.meta({ id: 'PublishEvent' }),
      bodyExamples: { 'An order': { topic: 'orders.paid', id: 'order-17', data: { order: 17 } } },
      headers: KEY_HEADER,
      answers: {
        202: { description: 'Taken, or on record already.', schema: EventPublishedBody },
        200: { description: REPLAYED, schema: EventPublishedBody, headers: REPLAYED_HEADER },
      },
      problems: KEY_PROBLEMS,
    },
    async ({ c, body: { topic, data = null, id }, caller }) => {
      const event = {
        topic,
        data,
        id: id ?? c.req.header('idempotency-key') ?? crypto.randomUUID(),
        actor: caller.principal,
      }
      const answer = await keyed(c, deps, { topic, data, id }, async (client) => {
        const published = await publishEvent(client, tenant, event)
        return { status: 202, body: { ...published, topic, id: event.id }, runId: null }
      })
      if (!answer.replayed) {
        poker.poke(CHANNELS.topics)
        poker.poke(CHANNELS.outbox)
      }
      return keyedResponse(c, answer)
    },
  )

  operations.add(
    {
      method: 'get',
      path: '/v1/events',
      operationId: 'readTopicEvents',
      scope: 'runs:read',
      summary: 'Read or follow events by topic',
      tag: 'topics',
      query: Query,
      description:
        'With `Accept: text/event-stream` they are followed, from now on unless `after` or `Last-Event-ID` says otherwise: `id` is the seq, `event` the topic, `data` the event.',
      headers: { 'Last-Event-ID': 'Where a stream goes on; wins over `after`.' },
      answers: {
        200: {
          description: 'A page of events, oldest first, or the stream of them.',
          schema: TopicEventPage,
          other: {
            'text/event-stream': {
              description: 'Events.',
              example: `id: ${TOPIC_EVENT.seq}\nevent: ${TOPIC_EVENT.topic}\ndata: ${JSON.stringify(TOPIC_EVENT)}\n\n`,
            },
          },
        },
      },
      problems: [],
    },
    async ({ c, query: { topic, after, limit } }) => {
      const patterns = topic
      if (!wantsStream(c)) {
        const { items, nextAfter } = await readTopicEvents(pool, tenant, {
          patterns,
          after: after ?? 0,
          limit,
        })
        return c.json({ items, nextAfter })
      }
      const from = lastEventId(c) ?? after
      return eventStream(
        c,
        (signal) => followTopics({ pool, listener, tenant, patterns, after: from, heartbeatMs }, signal),
        {
          closing,
          pool,
          heartbeatMs,
          onEnd: () => {},
          onProblem: (error) => log.warn({ err: error }, 'a stream of events broke off'),
        },
      )
    },
  )
}
