import { DevflowError } from '@devflow/contracts'
import type { Context } from 'hono'
import { type Env, parsed } from '../operation.ts'
import { whole } from '../query.ts'

/** Where an event stands among the others. */
export const Seq = whole(0, Number.MAX_SAFE_INTEGER)

/** Whether the client asked for a stream, not for a page. */
export function wantsStream(c: Context<Env>): boolean {
  return /\btext\/event-stream\b/i.test(c.req.header('accept') ?? '')
}

/** The id of the last event a client has; undefined when it has none. Throws DevflowError INVALID `invalid`. */
export function lastEventId(c: Context<Env>): number | undefined {
  const header = c.req.header('last-event-id')
  if (header === undefined || header === '') return undefined
  try {
    return parsed('Last-Event-ID', Seq, header)
  } catch (cause) {
    const errors = [{ path: 'Last-Event-ID', message: 'expected the id of an event' }]
    throw new DevflowError('INVALID', 'invalid', 'Last-Event-ID is not the id of an event.', {
      errors,
      cause,
    })
  }
}
