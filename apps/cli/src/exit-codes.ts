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
} as const

export function exitCodeOf(status: RunStatus): number {
  if (status === 'completed') return EXIT.completed
  if (status === 'canceled') return EXIT.canceled
  return status === 'failed' ? EXIT.failed : EXIT.waiting
}

/** Runs a command to the process's end. Commands set `process.exitCode`; failures are put in words for people. */
export async function endWith(command: () => Promise<unknown>): Promise<never> {
  // A reader that goes away, as `| head` does, is no reason to end a stack.
  process.stdout.on('error', () => {})
  try {
    await command()
  } catch (error) {
    process.exitCode = report(error)
  }
  // What a library has left open must not keep a finished command.
  process.exit()
}

/** A stack is printed only for what nobody expected. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.badUsage
  if (!(error instanceof DevflowError)) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    return EXIT.failed
  }
  process.stderr.write(`devflow: ${error.message}\n`)
  if (error.code === 'unreachable') return EXIT.unreachable
  return error.code === 'bad_config' ? EXIT.badUsage : EXIT.failed
}
