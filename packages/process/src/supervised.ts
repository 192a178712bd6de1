import { ParentMessage } from './messages.ts'

/** Why a process is asked to end. `orphaned`: its supervisor is gone, also by kill -9. */
export type StopReason = 'SIGTERM' | 'SIGINT' | 'orphaned'

export interface SupervisedOptions {
  /** Ends the work under way. Called once; when it settles, or when the drain time is over, the process exits. */
  onStop(reason: StopReason): void | Promise<void>
  /** Milliseconds `onStop` may take; 30,000 unless told. */
  drainMs?: number
  /** Told what went wrong in `onStop` or that it ran out of time; stderr unless told. */
  onProblem?(message: string, cause?: unknown): void
}

export interface Supervised {
  /** Tells the supervisor that the process does its work, and on which port. Nothing happens without a supervisor. */
  ready(port?: number): void
  /** Has the supervisor tell something to people. Nothing happens without one. */
  notice(text: string): void
  /** Aborted when the end begins. */
  readonly stopping: AbortSignal
  /** Ends the process as a signal would; for errors after which it cannot go on, with the exit code to leave with. */
  stop(reason: StopReason, exitCode?: number): void
}

/**
 * Makes this process a good child: answers pings, and ends on SIGTERM, SIGINT or when its supervisor is gone, once,
 * within the drain time; a second signal ends it at once (exit code 1). Also works without a supervisor.
 */
export function supervised(options: SupervisedOptions): Supervised {
  const { onStop, drainMs = 30_000, onProblem = printProblem } = options
  const ending = new AbortController()

  const stop = (reason: StopReason, exitCode = 0): void => {
    if (ending.signal.aborted) return
    ending.abort(reason)
    const timer = setTimeout(() => {
      onProblem(`not drained within ${drainMs} ms: ending anyway`)
      process.exit(1)
    }, drainMs)
    Promise.resolve()
      .then(() => onStop(reason))
      .then(
        () => exitCode,
        (cause: unknown) => {
          onProblem('the drain failed', cause)
          return 1
        },
      )
      .then((code) => {
        clearTimeout(timer)
        process.exit(code)
      })
  }

  let signalled = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (signalled) process.exit(1)
      signalled = true
      stop(signal)
    })
  }
  process.on('disconnect', () => stop('orphaned'))
  process.on('message', (message) => {
    const ping = ParentMessage.safeParse(message)
    if (ping.success) tell({ type: 'pong', n: ping.data.n })
  })
  return {
    ready: (port) => tell({ type: 'ready', ...(port === undefined ? {} : { port }) }),
    notice: (text) => tell({ type: 'notice', text }),
    stopping: ending.signal,
    stop,
  }
}

/** A send that fails means the supervisor is going: `disconnect` follows and ends this process. */
function tell(message: object): void {
  if (process.connected) process.send?.(message, () => {})
}

function printProblem(message: string, cause?: unknown): void {
  process.stderr.write(`${message}${cause === undefined ? '' : `: ${String(cause)}`}\n`)
}
