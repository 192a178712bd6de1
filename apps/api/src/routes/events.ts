import { readLog } from '@devflow/db'
import { z } from 'zod'
import { EventPage } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { RUN_STREAM } from '../examples.ts'
import { findRun, NO_RUN, runNotFound } from '../find-run.ts'
import { eventStream } from '../live/event-stream.ts'
import { followRun } from '../live/follow-run.ts'
import type { RunFeeds } from '../live/run-feeds.ts'
import { lastEventId, Seq, wantsStream } from '../live/stream-request.ts'
import type { Operations } from '../operation.ts'
import { flag, whole } from '../query.ts'

const Query = z.strictObject({
  after: Seq.optional(),
  limit: whole(1, 1_000).default(500),
  type: z
    .union([z.string(), z.array(z.string())])
    .meta({ exact: { type: 'array', items: { type: 'string' } } })
    .optional(),
  chunks: flag.default(false),
})

export function eventRoutes(operations: Operations, deps: ApiDeps, feeds: RunFeeds): void {
  const { pool, tenant, heartbeatMs, closing, log } = deps

  operations.add(
    {
      method: 'get',
      path: '/v1/runs/{id}/events',
      operationId: 'readEvents',
      scope: 'runs:read',
      summary: 'Read or follow the log of a run',
      tag: 'events',
      query: Query,
      description:
        'With `Accept: text/event-stream` the run is followed: `id` is the seq, `event` the type, `data` the event.',
      headers: {
        'Last-Event-ID': 'Where a stream goes on; wins over `after`.',
      },
      answers: {
        200: {
          description: 'A page of the log, or the stream of it.',
          schema: EventPage,
          other: {
            'text/event-stream': {
              description: 'Events, and `chunk`, `chunk.reset`, `end`.',
              example: RUN_STREAM,
            },
          },
        },
        204: { description: 'A stream asked for at the end of a finished run.' },
      },
      problems: NO_RUN,
    },
    async ({ c, params: { id = '' }, query }) => {
      await findRun(pool, tenant, id)
      const { limit, chunks } = query
      const types =
        query.type === undefined ? undefined : [query.type].flat().flatMap((text) => text.split(','))
      if (!wantsStream(c)) {
        const page = await readLog(pool, id, { after: query.after ?? 0, limit, types, chunks })
        if (!page) throw runNotFound(id)
        const { items, nextAfter, done } = page
        return c.json({ items, nextAfter, done })
      }
      const last = lastEventId(c)
      const after = last ?? query.after ?? 0
      const page = await readLog(pool, id, { after, limit: 1, types, chunks })
      if (!page) throw runNotFound(id)
      const isEnd = last === undefined ? after >= page.lastSeq : page.items.length === 0
      // Nothing is left to say, and without this an EventSource would come back for ever.
      if (page.done && isEnd) return c.body(null, 204)
      let leave = () => {}
      return eventStream(
        c,
        (signal) => {
          const joined = feeds.join(id, chunks)
          leave = joined.leave
          return followRun(joined.feed, { after, types, heartbeatMs, pool }, signal)
        },
        {
          closing,
          pool,
          heartbeatMs,
          onEnd: () => leave(),
          onProblem: (error) => log.warn({ err: error, runId: id }, 'a stream broke off'),
        },
      )
    },
  )
}
