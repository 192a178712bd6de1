/** Runs `work` again and again, `pauseMs` after its last end; failures are reported and change nothing. Stops when told. */
export function repeat(
  pauseMs: number,
  work: () => Promise<unknown>,
  onProblem: (error: unknown) => void,
): () => Promise<void> {
  const stopping = new AbortController()
  const running = (async () => {
    while (!stopping.signal.aborted) {
      try {
        await work()
      } catch (error) {
        onProblem(error)
      }
      if (stopping.signal.aborted) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs)
        const wake = () => {
          clearTimeout(timer)
          resolve()
        }
        stopping.signal.addEventListener('abort', wake, { once: true })
      })
    }
  })()
  return async () => {
    stopping.abort()
    await running
  }
}
