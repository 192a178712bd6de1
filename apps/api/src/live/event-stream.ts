import type { Context } from 'hono'
import type pg from 'pg'
import type { Env } from '../operation.ts'
import { watchToken } from './token-watch.ts'

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  // Told to nginx and its like: pass on at once.
  'x-accel-buffering': 'no',
}

export interface EventStreamOptions {
  /** Ends the stream from our side. */
  closing: AbortSignal
  pool: pg.Pool
  /** How soon a stream ends after the token that it was asked for with. */
  heartbeatMs: number
  /** Called once, however the stream ends; not at all when nobody ever read it. */
  onEnd: () => void
  onProblem: (error: unknown) => void
}

/**
 * Server-sent events out of a generator that is asked for more only when the client has taken what was there.
 * `begin` is called at the first read: a response whose body nobody reads (HEAD) costs nothing.
 */
export function eventStream(
  c: Context<Env>,
  begin: (signal: AbortSignal) => AsyncGenerator<Uint8Array>,
  { closing, pool, heartbeatMs, onEnd, onProblem }: EventStreamOptions,
): Response {
  const left = new AbortController()
  const refused = new AbortController()
  const signal = AbortSignal.any([closing, left.signal, refused.signal])
  let unwatch = () => {}
  let frames: AsyncGenerator<Uint8Array> | undefined
  let ended = false
  const end = () => {
    if (ended || !frames) return
    ended = true
    unwatch()
    onEnd()
  }
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (!frames) {
          frames = begin(signal)
          unwatch = watchToken(c.get('caller').token, { pool, heartbeatMs, onProblem }, () => refused.abort())
        }
        try {
          const next = await frames.next()
          if (left.signal.aborted) return
          if (!next.done) return controller.enqueue(next.value)
        } catch (error) {
          // The client comes back by itself, with the id of the last event it has.
          onProblem(error)
        }
        end()
        if (!left.signal.aborted) controller.close()
      },
      cancel() {
        left.abort()
        end()
        // Held at a yield it would keep what it holds for ever.
        frames?.return(undefined).catch(onProblem)
      },
    },
    { highWaterMark: 0 },
  )
  return c.body(body, 200, HEADERS)
}
