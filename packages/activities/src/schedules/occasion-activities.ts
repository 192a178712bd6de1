import { CHANNELS, type OccasionActivities } from '@devflow/contracts'
import { addOccasions, scheduleAt } from '@devflow/db'
import { isTimeOf } from '@devflow/definition'
import type { Deps } from '../deps.ts'
import { guarded } from '../guarded.ts'

/** What the workflow behind a time of a schedule does, run locally. Safe to repeat. */
export function createOccasionActivities({ pool, scrub }: Pick<Deps, 'pool' | 'scrub'>): OccasionActivities {
  const activities: OccasionActivities = {
    async keepOccasion({ tenant, schedule: id, at }) {
      const time = new Date(at)
      const schedule = await scheduleAt(pool, { tenant, id, at: time })
      // Temporal tells of times of a spec that was changed in that moment, and of others where clocks are put back.
      if (!schedule || !isTimeOf(schedule.spec, time)) return
      const added = await addOccasions(pool, schedule, [time], {})
      if (added > 0) await pool.query('select pg_notify($1, $2)', [CHANNELS.topics, ''])
    },
  }
  return guarded(activities, scrub)
}
