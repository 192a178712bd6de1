import type { Provider } from '@devflow/contracts'
import PQueue from 'p-queue'

/** These run in the worker itself: nobody limits them. */
const UNLIMITED: readonly Provider[] = ['offline', 'scripted']

/** What a call's end says of the rate of calls; undefined: nothing. */
export type Pace = 'borne' | 'too fast' | undefined

/**
 * How many calls a worker makes of one provider at once: as many as the provider bears. An answer adds a little (one
 * place for each round of answers), a refusal for their rate halves it, once for the calls that were under way together.
 */
export class CallSlots {
  readonly #lanes = new Map<Provider, Lane>()
  readonly #most: number
  readonly #onFewer: (provider: Provider, limit: number) => void

  constructor(most: number, onFewer: (provider: Provider, limit: number) => void = () => {}) {
    this.#most = most
    this.#onFewer = onFewer
  }

  /**
   * Makes a call once there is a place for it; a place is held from the reservation on, so that nothing is reserved
   * while waiting. Undefined: `leave` was aborted while it waited.
   */
  async run<Result>(
    provider: Provider,
    leave: AbortSignal,
    call: () => Promise<Result>,
    paceOf: (result: Result) => Pace,
  ): Promise<Result | undefined> {
    if (UNLIMITED.includes(provider)) return await call()
    const lane = this.#lane(provider)
    const place = await lane.place(leave)
    if (!place) return undefined
    try {
      const result = await call()
      const pace = paceOf(result)
      if (pace === 'borne') lane.grow()
      else if (pace === 'too fast' && lane.shrink(place.n)) this.#onFewer(provider, lane.limit)
      return result
    } finally {
      place.leave()
    }
  }

  /** How many calls of a provider may run at once now. */
  limit(provider: Provider): number {
    return this.#lanes.get(provider)?.limit ?? this.#most
  }

  #lane(provider: Provider): Lane {
    const lane = this.#lanes.get(provider) ?? new Lane(this.#most)
    this.#lanes.set(provider, lane)
    return lane
  }
}

class Lane {
  readonly #queue: PQueue
  readonly #most: number
  #limit: number
  /** Calls begun so far, and how many were at the last cut: what began before it says nothing new. */
  #begun = 0
  #cutAt = 0

  constructor(most: number) {
    this.#most = most
    this.#limit = most
    this.#queue = new PQueue({ concurrency: most })
  }

  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** Undefined when the signal is aborted first; its turn is then given to the next. */
  async place(signal: AbortSignal): Promise<{ n: number; leave: () => void } | undefined> {
    if (signal.aborted) return undefined
    const { promise: left, resolve: leave } = Promise.withResolvers<void>()
    const { promise: settled, resolve: settle } = Promise.withResolvers<boolean>()
    const onAbort = () => settle(false)
    signal.addEventListener('abort', onAbort, { once: true })
    void this.#queue.add(() => {
      settle(true)
      return left
    })
    const come = await settled
    signal.removeEventListener('abort', onAbort)
    if (!come) {
      leave()
      return undefined
    }
    this.#begun += 1
    return { n: this.#begun, leave }
  }

  grow(): void {
    this.#set(this.#limit + 1 / this.#limit)
  }

  /** False for a call that began before the last cut. */
  shrink(n: number): boolean {
    if (n <= this.#cutAt) return false
    this.#cutAt = this.#begun
    // The one that was refused is among them.
    this.#set(Math.min(this.#limit, this.#queue.pending) / 2)
    return true
  }

  #set(limit: number): void {
    this.#limit = Math.min(this.#most, Math.max(1, limit))
    this.#queue.concurrency = this.limit
  }
}
