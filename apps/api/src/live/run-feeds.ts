import type pg from 'pg'
import { RunFeed } from './run-feed.ts'
import { TailReader } from './tail-reader.ts'
import type { Watch } from './watch.ts'

export interface RunFeedsOptions {
  pool: pg.Pool
  watch: Watch
  onProblem: (error: unknown) => void
}

interface Shared {
  feed: RunFeed
  unwatch: () => void
}

/** The feeds of the runs that are being followed: one a run, and one more where chunks are wanted too. */
export class RunFeeds {
  readonly #options: RunFeedsOptions
  readonly #tails: TailReader
  readonly #feeds = new Map<string, Shared>()

  constructor(options: RunFeedsOptions) {
    this.#options = options
    this.#tails = new TailReader(options.pool)
  }

  /** How many feeds are read, and for how many clients. */
  get size(): { feeds: number; clients: number } {
    const clients = [...this.#feeds.values()].reduce((sum, { feed }) => sum + feed.clients, 0)
    return { feeds: this.#feeds.size, clients }
  }

  /** Joins a run's feed; `leave` must be called once, and ends the feed with its last client. */
  join(run: string, chunks: boolean): { feed: RunFeed; leave: () => void } {
    const key = `${run}/${chunks}`
    const shared = this.#feeds.get(key) ?? this.#begin(key, run, chunks)
    shared.feed.clients += 1
    const leave = () => {
      shared.feed.clients -= 1
      if (shared.feed.clients > 0) return
      shared.unwatch()
      shared.feed.close()
      this.#feeds.delete(key)
    }
    return { feed: shared.feed, leave }
  }

  #begin(key: string, run: string, chunks: boolean): Shared {
    const { pool, watch, onProblem } = this.#options
    const feed = new RunFeed({ pool, tails: this.#tails, run, chunks, onProblem })
    const shared = { feed, unwatch: watch.run(run, () => feed.wake()) }
    this.#feeds.set(key, shared)
    feed.wake()
    return shared
  }
}
