import { CHANNELS } from '@devflow/contracts'
import { type Listener, readHeads } from '@devflow/db'
import type pg from 'pg'

export interface WatchOptions {
  listener: Listener
  pool: pg.Pool
  /** How often to look without being poked, in ms; 1,500 unless told. */
  pollMs?: number
  onProblem: (error: unknown) => void
}

interface Watched {
  wakes: Set<() => void>
  /** The head's seq at the last slow poll. */
  seq: number | undefined
}

/** Told of every run whose log grew. */
export interface AllRunsWatcher {
  grew(run: string): void
  /** Growth may have been missed. */
  lookAgain(): void
}

/** Says when runs' logs grow: by notification, and by a slow poll of all watched runs at once, which backs it up. */
export class Watch {
  readonly #options: WatchOptions
  readonly #runs = new Map<string, Watched>()
  readonly #watchers = new Set<AllRunsWatcher>()
  readonly #unsubscribe: () => void
  readonly #timer: NodeJS.Timeout
  #polling: Promise<void> | undefined

  constructor(options: WatchOptions) {
    this.#options = options
    this.#unsubscribe = options.listener.subscribe(CHANNELS.run, {
      notified: (runs) => {
        for (const run of runs.split(' ')) {
          for (const wake of this.#runs.get(run)?.wakes ?? []) wake()
          for (const watcher of this.#watchers) watcher.grew(run)
        }
      },
      lookAgain: () => {
        for (const { wakes } of this.#runs.values()) for (const wake of wakes) wake()
        for (const watcher of this.#watchers) watcher.lookAgain()
      },
    })
    this.#timer = setInterval(() => {
      this.#polling ??= this.#poll().finally(() => {
        this.#polling = undefined
      })
    }, options.pollMs ?? 1_500)
  }

  /** Calls `wake` whenever the run's log may have grown, until the returned function is called. */
  run(run: string, wake: () => void): () => void {
    const watched = this.#runs.get(run) ?? { wakes: new Set(), seq: undefined }
    this.#runs.set(run, watched)
    watched.wakes.add(wake)
    return () => {
      watched.wakes.delete(wake)
      if (watched.wakes.size === 0 && this.#runs.get(run) === watched) this.#runs.delete(run)
    }
  }

  all(watcher: AllRunsWatcher): () => void {
    this.#watchers.add(watcher)
    return () => {
      this.#watchers.delete(watcher)
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#unsubscribe()
    await this.#polling
  }

  async #poll(): Promise<void> {
    if (this.#runs.size === 0) return
    try {
      const heads = await readHeads(this.#options.pool, undefined, [...this.#runs.keys()])
      for (const { runId, lastSeq } of heads) {
        const watched = this.#runs.get(runId)
        if (!watched || watched.seq === lastSeq) continue
        watched.seq = lastSeq
        for (const wake of watched.wakes) wake()
      }
    } catch (error) {
      this.#options.onProblem(error)
    }
  }
}
