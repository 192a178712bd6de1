import type { RunStatus } from '@devflow/contracts'

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

export function exitCodeOf(status: RunStatus): number {
  if (status === 'completed') return EXIT.completed
  if (status === 'canceled') return EXIT.canceled
  return status === 'failed' ? EXIT.failed : EXIT.waiting
}
