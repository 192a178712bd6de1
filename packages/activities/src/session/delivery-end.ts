import type { SessionEnd } from '@devflow/contracts'
import { ApplicationFailure } from '@temporalio/activity'

/** The work goes back to Temporal, to be taken up by another worker. */
export const HANDED_OVER = 'handed over'
/** How one delivery of an activity ends. */
export type DeliveryEnd = SessionEnd | typeof HANDED_OVER
export const FENCED: SessionEnd = { ended: 'stopped', why: 'fenced' }

/** What an activity throws to be handed over: another worker can have it at once. */
export const handOver = (): ApplicationFailure =>
  ApplicationFailure.create({
    message: 'The worker shuts down; another goes on with it.',
    type: 'HANDED_OVER',
    nonRetryable: false,
    nextRetryDelay: '1 millisecond',
  })
