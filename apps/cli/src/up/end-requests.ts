/** Ctrl-C reaches this process from the terminal, from npm and from the start script: within so long they are one. */
const BURST_MS = 250

export interface EndRequests {
  /** Settles with the first request: a signal's name, or `orphaned` when the process that started this one is gone. */
  readonly first: Promise<string>
  /** Settles when somebody asks again. */
  readonly second: Promise<void>
}

/** Listens for all that asks this process to end. */
export function endRequests(): EndRequests {
  const first = Promise.withResolvers<string>()
  const second = Promise.withResolvers<void>()
  let firstAt: number | undefined
  const ask = (how: string) => {
    if (firstAt === undefined) {
      firstAt = performance.now()
      first.resolve(how)
    } else if (performance.now() - firstAt > BURST_MS) second.resolve()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ask(signal))
  process.once('disconnect', () => {
    if (firstAt === undefined) ask('orphaned')
  })
  return { first: first.promise, second: second.promise }
}
