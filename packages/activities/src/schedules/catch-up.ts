import { durationMs, type ScheduleSpec } from '@devflow/contracts'
import { addOccasions, noteCaughtUp, type Queryable, type StoredSchedule } from '@devflow/db'
import { type CompiledSpec, compileSpec, scheduleTimes } from '@devflow/definition'

/** Of a schedule that was behind for long no more times are made, the latest ones. */
const MOST = 10_000

/**
 * Puts on record the times until `until` of which nobody told, since each schedule counts and within its window. Answers
 * how many there were.
 */
export async function catchUp(
  db: Queryable,
  schedules: readonly StoredSchedule[],
  until: Date,
): Promise<number> {
  let added = 0
  const caughtUp = schedules.filter((schedule) => !schedule.is_paused && schedule.remaining !== 0)
  for (const schedule of caughtUp) {
    const { spec, catch_up: window, active_since: since, caught_up_to: before } = schedule
    const earliest = until.getTime() - durationMs(window)
    const after = new Date(Math.max(since.getTime() - 1, before.getTime(), earliest))
    const times = latestTimes(timesOf(spec), after, until)
    if (times.length > 0) added += await addOccasions(db, schedule, times, {})
  }
  if (caughtUp.length > 0) await noteCaughtUp(db, caughtUp, until)
  return added
}

function latestTimes(spec: CompiledSpec, after: Date, until: Date): Date[] {
  let times: Date[] = []
  for (let page = scheduleTimes(spec, { after, until, most: MOST }); page.length > 0; ) {
    times = [...times, ...page].slice(-MOST)
    page = scheduleTimes(spec, { after: page.at(-1) ?? until, until, most: MOST })
  }
  return times
}

/** When a schedule is due, read and checked: what a clock elsewhere is set by. */
export const timesOf = (spec: ScheduleSpec): CompiledSpec => compileSpec(spec).compiled
