/** Bounds each wait for a provider, and only the waits: while a frame is being stored the clock stands still. */
export class ProgressTimer {
  readonly #controller = new AbortController()
  readonly #ms: number
  readonly #stalled: () => Error

  constructor(ms: number, stalled: () => Error) {
    this.#ms = ms
    this.#stalled = stalled
  }

  /** Aborted, with the error that `stalled` made, once a wait took too long. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Waits for `work`, which is expected to end when `signal` is aborted. */
  async during<T>(work: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#controller.abort(this.#stalled()), this.#ms)
    try {
      return await work
    } finally {
      clearTimeout(timer)
    }
  }
}
