/** Aborted by Ctrl-C, SIGTERM, or the terminal's end. A second Ctrl-C ends the process at once. */
export function leavingSignal(): { signal: AbortSignal; forget(): void } {
  const leaving = new AbortController()
  const leave = () => leaving.abort()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.once(signal, leave)
  return {
    signal: leaving.signal,
    forget: () => {
      for (const signal of signals) process.off(signal, leave)
    },
  }
}
