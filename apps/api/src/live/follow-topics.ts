import { CHANNELS } from '@devflow/contracts'
import { type Listener, readTopicEvents } from '@devflow/db'
import type pg from 'pg'
import { Change } from './change.ts'
import { heartbeat, topicFrame } from './frames.ts'

const PAGE = 200
/** A notification that was lost only delays by this much. */
const SLOW_POLL_MS = 1_500

export interface FollowTopicsOptions {
  pool: pg.Pool
  listener: Listener
  tenant: string
  patterns: readonly string[]
  /** Undefined: from now on. */
  after: number | undefined
  heartbeatMs: number
}

/** The stream of events of some topics: each once, in their order. */
export async function* followTopics(
  { pool, listener, tenant, patterns, after, heartbeatMs }: FollowTopicsOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const change = new Change()
  const tell = () => change.tell()
  const unsubscribe = listener.subscribe(CHANNELS.topics, { notified: tell, lookAgain: tell })
  try {
    let at = after
    let saidAt = performance.now()
    while (!signal.aborted) {
      const { version } = change
      const { items, nextAfter, more } = await readTopicEvents(pool, tenant, {
        patterns,
        after: at,
        limit: PAGE,
      })
      // At once, so that a client knows from where it follows.
      const isFirst = at === undefined
      at = nextAfter
      for (const event of items) yield topicFrame(event)
      const isQuiet = items.length === 0 && performance.now() - saidAt >= heartbeatMs
      if (isFirst || isQuiet) yield heartbeat(nextAfter)
      if (isFirst || isQuiet || items.length > 0) saidAt = performance.now()
      if (more) continue
      await change.within(Math.min(SLOW_POLL_MS, heartbeatMs), signal, version)
    }
  } finally {
    unsubscribe()
  }
}
