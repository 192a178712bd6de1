export interface Repeating {
  /** Begins the next round at once; while one is under way, right after it. */
  hurry(): void
  /** Resolves when the round under way is over; no other follows. */
  stop(): Promise<void>
}

/**
 * Runs `work` again and again. `pause`: ms between the end of one round and the next, or how to tell them from what the
 * round came to (undefined when it failed); 0 for at once. Failures are reported and change nothing.
 */
export function repeat<T>(
  pause: number | ((outcome: T | undefined) => number),
  work: () => Promise<T>,
  onProblem: (error: unknown) => void,
): Repeating {
  let stopped = false
  let hurried = false
  let wake = () => {}
  const round = async (): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      onProblem(error)
      return undefined
    }
  }
  const running = (async () => {
    while (!stopped) {
      hurried = false
      const outcome = await round()
      const ms = typeof pause === 'number' ? pause : pause(outcome)
      if (stopped || hurried || ms <= 0) continue
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  })()
  return {
    hurry: () => {
      hurried = true
      wake()
    },
    stop: async () => {
      stopped = true
      wake()
      await running
    },
  }
}
