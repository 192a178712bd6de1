export interface Repeating {
  /** Begins the next round at once; while one is under way, right after it. */
  hurry(): void
  /** Resolves when the round under way is over; no other follows. */
  stop(): Promise<void>
}

/** Runs `work` again and again, `pauseMs` after its last end; failures are reported and change nothing. */
export function repeat(
  pauseMs: number,
  work: () => Promise<unknown>,
  onProblem: (error: unknown) => void,
): Repeating {
  let stopped = false
  let hurried = false
  let wake = () => {}
  const running = (async () => {
    while (!stopped) {
      hurried = false
      try {
        await work()
      } catch (error) {
        onProblem(error)
      }
      if (stopped) return
      if (hurried) continue
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs)
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
