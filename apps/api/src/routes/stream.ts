import { DevflowError, EntryId } from '@devflow/contracts'
import { z } from 'zod'
import type { ApiDeps } from '../deps.ts'
import { POKES } from '../examples.ts'
import { eventStream } from '../live/event-stream.ts'
import { type PokeHub, sinceOf } from '../live/poke-hub.ts'
import type { Operations } from '../operation.ts'

const Query = z.strictObject({
  template: EntryId.optional(),
  kind: z.enum(['runs', 'gates']).default('runs'),
  cursor: z.string().max(200).optional(),
})

export function streamRoutes(operations: Operations, deps: ApiDeps, hub: PokeHub): void {
  const { pool, tenant, heartbeatMs, closing, log } = deps

  operations.add(
    {
      method: 'get',
      path: '/v1/stream',
      operationId: 'followRuns',
      scope: 'runs:read',
      summary: 'Follow many runs: pokes, at least once; refetch what they name',
      tag: 'events',
      query: Query,
      labels: true,
      headers: { 'Last-Event-ID': 'Where the stream goes on; opaque.' },
      answers: {
        200: {
          description:
            'The stream: `event: run` with `{runId, status, lastSeq}`, or `event: gate` with the gate.',
          other: { 'text/event-stream': { description: 'Pokes.', example: POKES } },
        },
      },
      problems: ['bad_cursor'],
    },
    ({ c, query: { template, kind, cursor }, labels }) => {
      const given = c.req.header('last-event-id') || cursor
      const since = given === undefined ? undefined : sinceOf(given)
      if (given !== undefined && since === undefined) {
        const errors = [{ path: 'cursor', message: 'expected the id of an event of this stream' }]
        throw new DevflowError('INVALID', 'bad_cursor', 'The cursor is not one of this stream.', { errors })
      }
      return eventStream(
        c,
        (signal) => hub.follow({ tenant, template, labels, kind }, { since, heartbeatMs }, signal),
        {
          closing,
          pool,
          heartbeatMs,
          onEnd: () => {},
          onProblem: (error) => log.warn({ err: error }, 'a stream broke off'),
        },
      )
    },
  )
}
