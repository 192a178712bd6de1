import type { Paint } from './palette.ts'

const PAINTS: Record<string, Paint> = {
  completed: 'good',
  approved: 'good',
  failed: 'bad',
  rejected: 'bad',
  expired: 'bad',
  running: 'accent',
  queued: 'faint',
  pending: 'faint',
  skipped: 'faint',
}

/** The colour of a run's, a phase's or a gate's status: what asks for a look stands out. */
export const paintOf = (status: string): Paint => PAINTS[status] ?? 'notice'
