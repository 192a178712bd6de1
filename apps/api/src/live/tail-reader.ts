import { type LogPage, readTails, type Tail } from '@devflow/db'
import type pg from 'pg'

/** Runs in one read: what one of them has much of holds the others up no longer than that. */
const MOST_TAILS = 32

interface Waiting {
  tail: Tail
  resolve: (page: LogPage | undefined) => void
  reject: (error: unknown) => void
}

/**
 * Reads what is new of many runs together. One read is in flight, and the next takes what was asked for meanwhile: a
 * group of the writer pokes many runs at once, and their readers share the round trip.
 */
export class TailReader {
  readonly #pool: pg.Pool
  #queue: Waiting[] = []
  #reading = false

  constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  /** A page of a run's log, as `readTails` gives it; rejects when Postgres could not be read. */
  async read(tail: Tail): Promise<LogPage | undefined> {
    return await new Promise((resolve, reject) => {
      this.#queue.push({ tail, resolve, reject })
      if (!this.#reading) void this.#drain()
    })
  }

  /** Never throws: each who waits is settled. */
  async #drain(): Promise<void> {
    this.#reading = true
    while (this.#queue.length > 0) {
      // Whoever is woken by the same poke comes along.
      await new Promise((resolve) => setImmediate(resolve))
      const group = this.#queue.splice(0, MOST_TAILS)
      try {
        const pages = await readTails(
          this.#pool,
          group.map(({ tail }) => tail),
        )
        for (const [index, { resolve }] of group.entries()) resolve(pages[index])
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.#reading = false
  }
}
