/** Something others wait for: each `tell` wakes all who wait at that moment. */
export class Change {
  #waiting = new Set<() => void>()
  #version = 0

  /** Counts the tells: who looks, then waits, notes it before the look. */
  get version(): number {
    return this.#version
  }

  tell(): void {
    this.#version += 1
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const resolve of waiting) resolve()
  }

  /** True when told since `version`, or within `ms`; false when the time is over or the signal aborts. */
  async within(ms: number, signal: AbortSignal, version: number): Promise<boolean> {
    if (signal.aborted) return false
    if (version !== this.#version) return true
    return await new Promise<boolean>((resolve) => {
      const settle = (told: boolean) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        this.#waiting.delete(onTold)
        resolve(told)
      }
      const onTold = () => settle(true)
      const onAbort = () => settle(false)
      const timer = setTimeout(onAbort, ms)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(onTold)
    })
  }
}
