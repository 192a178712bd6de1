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
  /** Woken when the log grows, and when the run may stand elsewhere. */
  wakes: Set<() => void>
  moves: Set<() => void>
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
  /** While somebody wants to be told of each line. */
  #unfollow: (() => void) | undefined

  constructor(options: WatchOptions) {
    this.#options = options
    this.#unsubscribe = options.listener.subscribe(CHANNELS.run, {
      notified: (payload) => {
        const [grown = '', moved] = payload.split(' ! ')
        for (const run of grown.split(' ')) {
          for (const wake of this.#runs.get(run)?.wakes ?? []) wake()
          for (const watcher of this.#watchers) watcher.grew(run)
        }
        for (const run of moved?.split(' ') ?? []) for (const wake of this.#runs.get(run)?.moves ?? []) wake()
      },
      lookAgain: () => {
        for (const watched of this.#runs.values()) wakeAll(watched)
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
    return this.#add(run, 'wakes', wake)
  }

  /** Calls `wake` whenever the run may stand elsewhere: not at each turn, as `run` does. */
  moves(run: string, wake: () => void): () => void {
    return this.#add(run, 'moves', wake)
  }

  all(watcher: AllRunsWatcher): () => void {
    this.#watchers.add(watcher)
    this.#follow()
    return () => {
      this.#watchers.delete(watcher)
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#unsubscribe()
    this.#unfollow?.()
    await this.#polling
  }

  #add(run: string, to: 'wakes' | 'moves', wake: () => void): () => void {
    const watched = this.#runs.get(run) ?? { wakes: new Set(), moves: new Set(), seq: undefined }
    this.#runs.set(run, watched)
    watched[to].add(wake)
    if (to === 'wakes') this.#follow()
    return () => {
      watched[to].delete(wake)
      const isLeft = watched.wakes.size + watched.moves.size > 0
      if (!isLeft && this.#runs.get(run) === watched) this.#runs.delete(run)
    }
  }

  #follow(): void {
    this.#unfollow ??= this.#options.listener.follow()
  }

  async #poll(): Promise<void> {
    // Only now: who leaves often comes again at once, as a page that is loaded anew.
    if (this.#watchers.size === 0 && !this.#runs.values().some(({ wakes }) => wakes.size > 0)) {
      this.#unfollow?.()
      this.#unfollow = undefined
    }
    if (this.#runs.size === 0) return
    try {
      const heads = await readHeads(this.#options.pool, undefined, [...this.#runs.keys()])
      for (const { runId, lastSeq } of heads) {
        const watched = this.#runs.get(runId)
        if (!watched || watched.seq === lastSeq) continue
        watched.seq = lastSeq
        wakeAll(watched)
      }
    } catch (error) {
      this.#options.onProblem(error)
    }
  }
}

function wakeAll({ wakes, moves }: Watched): void {
  for (const wake of [...wakes, ...moves]) wake()
}
