import { createParser } from 'eventsource-parser'
import { ConnectionError, type DevflowError, TimeoutError, UnknownError } from './errors.ts'
import { delayBefore, isPassing, pause } from './retry.ts'
import type { Transport } from './transport.ts'

/** An event of a stream. */
export interface Frame {
  id: string | undefined
  event: string
  data: unknown
}

export interface StreamRequest {
  /** Under the base URL, with its query. */
  path: string
  /** Where the stream goes on; from its beginning when undefined. */
  lastId?: string
  signal?: AbortSignal
}

/** What a stream says: an event, or where the next connection goes on; an event's own id comes just before it. */
type Said = Frame | { cursor: string }

/**
 * The events of a stream, over any number of connections: each goes on after the last event that was taken. Ends when
 * the API answers 204; rejects when it refuses, or cannot be reached again and again.
 */
export async function* eventStream(
  transport: Transport,
  { path, lastId, signal }: StreamRequest,
): AsyncGenerator<Frame, void, undefined> {
  const { retry, onRetry } = transport.settings
  for (let failures = 0; ; ) {
    signal?.throwIfAborted()
    const stop = new AbortController()
    const leave = () => stop.abort(signal?.reason)
    signal?.addEventListener('abort', leave, { once: true })
    let failure: DevflowError
    try {
      const headers = {
        accept: 'text/event-stream',
        ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
      }
      const response = await transport.open(path, headers, stop)
      if (response.status === 204) return
      const opened = Date.now()
      for await (const said of read(response, transport.settings.idleTimeoutMs, stop)) {
        // What lasts is a good connection, though the run may be silent for days.
        if (!('cursor' in said) || Date.now() - opened > retry.maxDelayMs) failures = 0
        if ('cursor' in said) lastId = said.cursor
        else yield said
      }
      failure = new ConnectionError('UNAVAILABLE', 'stream_ended', 'The stream ended before its end.')
    } catch (error) {
      if (!isPassing(error, failures)) throw error
      failure = error
    } finally {
      signal?.removeEventListener('abort', leave)
      stop.abort()
    }
    failures += 1
    const delayMs = delayBefore(failures, failure, retry)
    if (failures > retry.reconnects || delayMs === undefined) throw failure
    onRetry({ retry: failures, delayMs, error: failure })
    await pause(delayMs, signal)
  }
}

async function* read(
  response: Response,
  idleMs: number,
  stop: AbortController,
): AsyncGenerator<Said, void, undefined> {
  const type = response.headers.get('content-type') ?? 'nothing'
  if (!response.body || !/^text\/event-stream\b/i.test(type)) {
    const detail = `The API answered ${type} where a stream of events was asked for.`
    throw new UnknownError('UNKNOWN', 'unexpected_answer', detail, { status: response.status })
  }
  const said: Said[] = []
  const parser = createParser({
    onEvent: ({ id, event = 'message', data }) => said.push({ id, event, data: parsed(data) }),
    onId: (cursor) => said.push({ cursor }),
    onComment: (comment) => {
      const cursor = /^\s*cursor=(\S+)$/.exec(comment)?.[1]
      if (cursor !== undefined) said.push({ cursor })
    },
  })
  const decoder = new TextDecoder()
  const reader = response.body.getReader()
  while (true) {
    const { done, value } = await within(idleMs, stop, () => reader.read())
    if (done) return
    parser.feed(decoder.decode(value, { stream: true }))
    yield* said.splice(0)
  }
}

/** What `work` resolves to; when it takes too long, or is stopped, it rejects with why. */
async function within<Result>(
  ms: number,
  stop: AbortController,
  work: () => Promise<Result>,
): Promise<Result> {
  const silent = new TimeoutError('TIMEOUT', 'stream_silent', `The stream was silent for ${ms} ms.`)
  const timer = setTimeout(() => stop.abort(silent), ms)
  try {
    return await work()
  } catch (cause) {
    if (stop.signal.aborted) throw stop.signal.reason
    throw new ConnectionError('UNAVAILABLE', 'connection_lost', 'The connection of the stream broke.', {
      cause,
    })
  } finally {
    clearTimeout(timer)
  }
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch (cause) {
    const detail = `The stream holds an event that is not JSON: ${data.slice(0, 300)}`
    throw new UnknownError('UNKNOWN', 'unexpected_answer', detail, { cause })
  }
}
