import { EventSourceParserStream } from 'eventsource-parser/stream'
import type { Stack } from './stack.ts'

/** One frame a reader saw: what it says it is, and its place in the run's sequence. */
export interface Frame {
  seq: number
  type: string
  data: string
}

/**
 * Follows a run with chunks, as a browser does: every connection goes on after the last id it has seen, whatever
 * happens to the API. `cutAfter`: hangs up by itself after so many frames, and comes back.
 */
export async function follow(
  stack: Stack,
  run: string,
  { cutAfter = Number.POSITIVE_INFINITY } = {},
): Promise<Frame[]> {
  const frames: Frame[] = []
  const deadline = Date.now() + 90_000
  while (Date.now() < deadline) {
    const hangUp = new AbortController()
    try {
      const last = frames.at(-1)?.seq
      const response = await fetch(`${stack.ready.api}/v1/runs/${run}/events?chunks=true`, {
        headers: {
          accept: 'text/event-stream',
          ...(last === undefined ? {} : { 'last-event-id': String(last) }),
        },
        signal: hangUp.signal,
      })
      if (response.status === 204) return frames
      if (!response.ok || !response.body) throw new Error(`the stream answered ${response.status}`)
      let seen = 0
      for await (const { id, event, data } of response.body
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new EventSourceParserStream())) {
        if (event === 'end') return frames
        frames.push({ seq: Number(id), type: event ?? '', data })
        seen += 1
        if (seen >= cutAfter) break
      }
    } catch {
      // The API was killed: come back, as a browser does.
    } finally {
      hangUp.abort()
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`run ${run} was followed in vain: ${frames.length} frames`)
}
