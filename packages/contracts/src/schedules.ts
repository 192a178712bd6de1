import { z } from 'zod'
import { OVERLAPS } from './choices.ts'
import { durationMs, IsoDuration } from './duration.ts'
import { Principal } from './ids.ts'
import { SourceId, Submission, SubmitTemplate } from './triggers.ts'

/** As in a field of cron: `*`, `5`, `1-5`, `MON,FRI`, `0/15`, `MON-FRI`, several with commas. */
const Field = z.union([z.string().min(1).max(200), z.int()])

/** Times on a clock and a calendar: all fields must match. */
export const ScheduleCalendar = z.strictObject({
  second: Field.optional(),
  minute: Field.optional(),
  hour: Field.optional(),
  dayOfMonth: Field.optional(),
  month: Field.optional(),
  dayOfWeek: Field.optional(),
  year: Field.optional(),
})
export type ScheduleCalendar = z.infer<typeof ScheduleCalendar>

const MOST_OF_EACH = 50

/** When: all times that one of `cron`, `calendars` and `intervals` names and none of `skip`. */
export const ScheduleSpec = z
  .strictObject({
    cron: z
      .array(z.string().min(1).max(500))
      .max(MOST_OF_EACH)
      .optional()
      .describe('minute, hour, day of month, month, day of week; also with seconds first and years last'),
    calendars: z
      .array(ScheduleCalendar)
      .max(MOST_OF_EACH)
      .optional()
      .describe('fields as in cron; a time of day left out is 0, a date left out is any'),
    intervals: z
      .array(z.strictObject({ every: IsoDuration, offset: IsoDuration.optional() }))
      .max(MOST_OF_EACH)
      .optional()
      .describe('counted from the first of January 1970, in whole seconds'),
    skip: z
      .array(ScheduleCalendar)
      .max(MOST_OF_EACH)
      .optional()
      .describe('times that are not meant; any field left out is any'),
    timeZone: z.string().max(100).optional().describe('by its IANA name; UTC unless told'),
    startAt: z.iso.datetime({ offset: true }).optional(),
    endAt: z.iso.datetime({ offset: true }).optional(),
  })
  .refine(({ cron, calendars, intervals }) => [cron, calendars, intervals].some((each) => each?.length), {
    error: 'expected cron, calendars or intervals',
  })
export type ScheduleSpec = z.infer<typeof ScheduleSpec>

/** What becomes of an occasion while the schedule's last run is unfinished. */
export const Overlap = z.enum(OVERLAPS)
export type Overlap = z.infer<typeof Overlap>

/** Occasions are kept longer than that, so that none is made twice. */
export const LONGEST_CATCH_UP_MS = 30 * 86_400_000

/** Body of `PUT /v1/schedules/{id}`. */
export const PutSchedule = z.strictObject({
  spec: ScheduleSpec,
  submit: SubmitTemplate.describe('what to submit; expressions in `input` and `labels` see `schedule`'),
  overlap: Overlap.optional().describe('skip unless told'),
  jitter: IsoDuration.refine((text) => durationMs(text) <= 86_400_000, { error: 'longer than a day' })
    .optional()
    .describe('each run begins up to this much later'),
  catchUp: IsoDuration.refine((text) => durationMs(text) <= LONGEST_CATCH_UP_MS, {
    error: 'longer than 30 days',
  })
    .optional()
    .describe('how late an occasion may be made that was missed; P1D unless told'),
  remaining: z.int().min(0).max(2_147_483_647).optional().describe('so many runs, then no more'),
})
export type PutSchedule = z.infer<typeof PutSchedule>

/** Why an occasion made no run. */
export const SkipReason = z.enum(['overlap', 'remaining', 'deleted'])
export type SkipReason = z.infer<typeof SkipReason>

/** One occasion of a schedule, and what became of it. */
export const Occasion = Submission.extend({ reason: SkipReason.optional() })
export type Occasion = z.infer<typeof Occasion>

export const Schedule = z.object({
  id: SourceId,
  spec: ScheduleSpec,
  submit: SubmitTemplate,
  overlap: Overlap,
  jitter: IsoDuration.optional(),
  catchUp: IsoDuration,
  remaining: z.int().optional(),
  paused: z.boolean(),
  pausedBecause: z.string().optional(),
  next: z.array(z.iso.datetime()).describe('its next times'),
  last: z.array(Occasion).describe('its latest occasions, newest first'),
  mirrored: z.boolean().describe('whether Temporal knows of it as it is now'),
  problem: z.string().optional().describe('why Temporal does not take it'),
  actor: Principal,
  updatedAt: z.iso.datetime(),
})
export type Schedule = z.infer<typeof Schedule>

/** Body of `POST /v1/schedules/{id}/trigger`. */
export const TriggerSchedule = z.strictObject({ overlap: Overlap.optional() })
export type TriggerSchedule = z.infer<typeof TriggerSchedule>

/** Body of `POST /v1/schedules/{id}/backfill`: its times from `from` to `to`, both included. */
export const BackfillSchedule = z.strictObject({
  from: z.iso.datetime({ offset: true }),
  to: z.iso.datetime({ offset: true }),
  overlap: Overlap.optional(),
})
export type BackfillSchedule = z.infer<typeof BackfillSchedule>

export const Backfilled = z.object({
  times: z.int().describe('how many times of the schedule lie in the range'),
  added: z.int().describe('how many of them had not been made'),
})
export type Backfilled = z.infer<typeof Backfilled>
