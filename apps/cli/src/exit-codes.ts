import { DevflowError as ClientError, ConnectionError, TimeoutError, UnavailableError } from '@devflow/client'
import { DevflowError, type RunStatus } from '@devflow/contracts'
import { CommanderError } from 'commander'

/** What the command line ends with. */
export const EXIT = {
  completed: 0,
  failed: 1,
  badUsage: 2,
  waiting: 3,
  canceled: 4,
  unreachable: 5,
  /** What a shell reports for a process that Ctrl-C ended. */
  interrupted: 130,
  /** The same for one whose output nobody reads any more. */
  unread: 141,
} as const

/** Codes of servers that the environment names and that are not there. */
const AWAY = ['database_unreachable', 'temporal_unreachable']

export function exitCodeOf(status: RunStatus): number {
  if (status === 'completed') return EXIT.completed
  if (status === 'canceled') return EXIT.canceled
  return status === 'failed' ? EXIT.failed : EXIT.waiting
}

/** Something else than Devflow has answered a call: with neither JSON nor one of our errors. */
export const isStranger = (error: unknown): error is ClientError =>
  error instanceof ClientError && error.code === 'unexpected_answer'

/** The code for what a command ended with. The client's errors are of calls; the same kinds elsewhere are plain failures. */
export function exitCodeOfFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.badUsage
  const isAway = [ConnectionError, UnavailableError, TimeoutError].some((type) => error instanceof type)
  if (isAway || isStranger(error) || (error instanceof DevflowError && AWAY.includes(error.code)))
    return EXIT.unreachable
  const isWrong = error instanceof DevflowError && ['INVALID', 'NOT_FOUND'].includes(error.kind)
  return isWrong ? EXIT.badUsage : EXIT.failed
}
