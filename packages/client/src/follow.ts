import type { ChunkReset, RunChunk, RunEvent, RunStatus } from '@devflow/contracts'
import { eventStream } from './event-stream.ts'
import { path, queryOf } from './paths.ts'
import type { Transport } from './transport.ts'
import type { ChunkItem, LogItem, ResetItem } from './types.ts'

export interface FollowOptions {
  /** Begin after this seq; from the first event unless told. */
  after?: number
  /** Only these types. */
  types?: string[]
  /** Streamed model output too. */
  chunks?: boolean
  /** Ends the following, which rejects with the signal's reason. */
  signal?: AbortSignal
}

/** How a run ended. It may go on when it is retried: follow it again from `lastSeq`. */
export interface RunEnd {
  status: RunStatus
  lastSeq: number
}

export const isChunk = (item: LogItem): item is ChunkItem => item.type === 'chunk'
export const isReset = (item: LogItem): item is ResetItem => item.type === 'chunk.reset'

/** See `Runs.follow`. */
export async function* follow(
  transport: Transport,
  id: string,
  { after, types, chunks, signal }: FollowOptions,
): AsyncGenerator<LogItem, RunEnd, undefined> {
  const run = path`/v1/runs/${id}`
  let last = after ?? 0
  const frames = eventStream(transport, {
    path: `${run}/events${queryOf({ chunks, type: types })}`,
    lastId: String(last),
    signal,
  })
  for await (const { event, data } of frames) {
    if (event === 'end') return data as RunEnd
    const item = itemOf(event, data)
    // Told before, or nothing of a log.
    if (!(item.seq > last)) continue
    last = item.seq
    yield item
  }
  // Over before, with nothing left to tell.
  const { status, lastSeq } = await transport.json<RunEnd>({ method: 'GET', path: run, signal })
  return { status, lastSeq }
}

/** Chunks come without their type. */
function itemOf(event: string, data: unknown): LogItem {
  if (event === 'chunk') return { ...(data as RunChunk), type: event }
  if (event === 'chunk.reset') return { ...(data as ChunkReset), type: event }
  return data as RunEvent
}
