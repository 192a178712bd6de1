import { timesOf } from '@devflow/activities'
import { durationMs, type ScheduleClock, TEMPORAL } from '@devflow/contracts'
import type { StoredSchedule } from '@devflow/db'
import {
  type CalendarSpec,
  DAYS_OF_WEEK,
  MONTHS,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from '@temporalio/client'

/** What a schedule is to be in Temporal: a clock that tells of every time, since what becomes of each is for Postgres to say. */
export function temporalSchedule(schedule: StoredSchedule): ScheduleOptions {
  const { tenant, id, spec, catch_up: catchUp } = schedule
  const times = timesOf(spec)
  const scheduleId = TEMPORAL.scheduleId(tenant, id)
  const clock: ScheduleClock = { tenant, schedule: id }
  return {
    scheduleId,
    spec: {
      calendars: times.calendars.map(calendarOf),
      intervals: times.intervals.map(({ every, offset }) => ({
        every: every * 1000,
        offset: offset * 1000,
      })),
      skip: times.skip.map(calendarOf),
      timezone: times.timeZone,
      ...(spec.startAt === undefined ? {} : { startAt: new Date(spec.startAt) }),
      ...(spec.endAt === undefined ? {} : { endAt: new Date(spec.endAt) }),
    },
    action: {
      type: 'startWorkflow',
      workflowType: TEMPORAL.occasionWorkflow,
      workflowId: scheduleId,
      taskQueue: TEMPORAL.workflowQueue,
      args: [clock],
      staticSummary: `A time of the schedule ${id}`,
    },
    policies: {
      // Each ends at once; runs that overlap are judged in Postgres.
      overlap: ScheduleOverlapPolicy.ALLOW_ALL,
      catchupWindow: Math.max(durationMs(catchUp), 10_000),
    },
    state: { paused: restsNow(schedule), note: noteOf(schedule.version) },
  }
}

/** A clock that no run is to come of stands still. */
const restsNow = ({ is_paused: isPaused, remaining }: StoredSchedule): boolean => isPaused || remaining === 0

/** Told apart by it when Temporal's store goes back to an older state. */
export const noteOf = (version: string): string => `as Devflow has it, version ${version}`

type Times = ReturnType<typeof timesOf>

function calendarOf({ month, dayOfWeek, year, ...time }: Times['calendars'][number]): CalendarSpec {
  return {
    ...time,
    month: month.map((number) => MONTHS[number - 1] ?? 'JANUARY'),
    dayOfWeek: dayOfWeek.map((number) => DAYS_OF_WEEK[number] ?? 'SUNDAY'),
    year,
  }
}
