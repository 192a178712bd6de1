import { createParser } from 'eventsource-parser'

/** A single frame larger than this is no model output. */
const LARGEST_FRAME = 16 * 1024 * 1024

/**
 * The data of each server-sent event of a body, in order. Comments are dropped; bytes may be torn
 * anywhere; a last frame that was cut before its blank line is not given out.
 */
export async function* sseFrames(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const ready: string[] = []
  const decoder = new TextDecoder()
  const parser = createParser({
    maxBufferSize: LARGEST_FRAME,
    onEvent: ({ data }) => {
      ready.push(data)
    },
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') throw error
    },
  })
  for await (const bytes of body) {
    parser.feed(decoder.decode(bytes, { stream: true }))
    yield* ready.splice(0)
  }
}
