import { readLog } from '@devflow/db'
import type pg from 'pg'
import { endFrame, frameOf, heartbeat, joined } from './frames.ts'
import type { RunFeed } from './run-feed.ts'

export interface FollowOptions {
  after: number
  types?: readonly string[]
  heartbeatMs: number
  pool: pg.Pool
}

/** What goes out at once, in bytes. */
const BATCH_BYTES = 64 * 1024
const OWN_PAGE = 200

/**
 * A client's stream of a run's log after a seq: from the ring, or by itself from Postgres where the ring does not
 * reach. It is pulled, so a slow client holds nothing but its cursor. Ends after the run's end, or when `signal` aborts.
 */
export async function* followRun(
  feed: RunFeed,
  { after, types, heartbeatMs, pool }: FollowOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let cursor = after
  // The first bytes make the headers go out, also when the run is silent.
  yield heartbeat(cursor)
  while (!signal.aborted && !feed.gone) {
    const { version } = feed.changed
    if (feed.isStarting) {
      if (!(await feed.changed.within(heartbeatMs, signal, version)) && !signal.aborted)
        yield heartbeat(cursor)
      continue
    }
    const taken = feed.take(cursor, BATCH_BYTES)
    if (taken) {
      const hasMoved = taken.cursor > cursor
      cursor = taken.cursor
      const bytes = types ? joined(taken.frames.filter(({ type }) => types.includes(type))) : taken.bytes
      if (bytes.length > 0) yield bytes
      if (hasMoved) continue
    } else {
      const page = await readLog(pool, feed.run, {
        after: cursor,
        limit: OWN_PAGE,
        types,
        chunks: feed.chunks,
      })
      if (!page) return
      const hasMoved = page.nextAfter > cursor
      cursor = page.nextAfter
      for (const event of page.items) yield frameOf(event).bytes
      if (hasMoved) continue
    }
    const end = feed.endAt(cursor)
    if (end) {
      yield endFrame(end.status, end.lastSeq)
      return
    }
    if (!(await feed.changed.within(heartbeatMs, signal, version)) && !signal.aborted) yield heartbeat(cursor)
  }
}
