import type { Context } from 'hono'
import type { Env } from '../operation.ts'

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  // Told to nginx and its like: pass on at once.
  'x-accel-buffering': 'no',
}

export interface EventStreamOptions {
  /** Ends the stream from our side. */
  closing: AbortSignal
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
  { closing, onEnd, onProblem }: EventStreamOptions,
): Response {
  const left = new AbortController()
  const signal = AbortSignal.any([closing, left.signal])
  let frames: AsyncGenerator<Uint8Array> | undefined
  let ended = false
  const end = () => {
    if (ended || !frames) return
    ended = true
    onEnd()
  }
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        frames ??= begin(signal)
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
