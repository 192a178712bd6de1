import type { OccasionActivities, ScheduleClock } from '@devflow/contracts'
import { ApplicationFailure, proxyLocalActivities, workflowInfo } from '@temporalio/workflow'

const { keepOccasion } = proxyLocalActivities<OccasionActivities>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '100 milliseconds', maximumInterval: '5 seconds' },
})

/**
 * One time of a schedule. Temporal is only its clock: it says that the time has come, and Postgres what becomes of it. So it
 * ends at once, and does the same whenever it is started again for the same time.
 */
export async function occasionWorkflow(clock: ScheduleClock): Promise<void> {
  // The time that was meant, however late this is.
  const [at] = workflowInfo().searchAttributes.TemporalScheduledStartTime ?? []
  if (typeof at !== 'object') throw ApplicationFailure.nonRetryable('no schedule has started this')
  await keepOccasion({ ...clock, at: at.toISOString() })
}
