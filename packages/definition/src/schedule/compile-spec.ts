import { durationMs, type ErrorDetail, type ScheduleCalendar, type ScheduleSpec } from '@devflow/contracts'
import { FIELDS, FieldError, type FieldName, valuesOf } from './fields.ts'

/** A calendar with every field read: the values that match, ascending. */
export type CompiledCalendar = Record<FieldName, number[]>

/** A schedule's times, read and checked. Times are in seconds since 1970. */
export interface CompiledSpec {
  calendars: CompiledCalendar[]
  intervals: { every: number; offset: number }[]
  skip: CompiledCalendar[]
  timeZone: string
  startAt: number
  endAt: number
}

const SHORT: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}
const ORDER = ['second', 'minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek', 'year'] as const
const NAMES = Object.keys(FIELDS) as FieldName[]
const TIMES_OF_DAY: readonly FieldName[] = ['second', 'minute', 'hour']

/** Reads a schedule's spec by the rules of Temporal's schedules; `errors` names what is wrong with it. */
export function compileSpec(spec: ScheduleSpec): { compiled: CompiledSpec; errors: ErrorDetail[] } {
  const errors: ErrorDetail[] = []
  const fail = (path: string, message: string) => void errors.push({ path, message })
  const calendar = (given: ScheduleCalendar, path: string, otherwise: '0' | '*'): CompiledCalendar => {
    const read = (name: FieldName) => {
      try {
        return valuesOf(name, given[name] ?? (TIMES_OF_DAY.includes(name) ? otherwise : '*'))
      } catch (error) {
        if (!(error instanceof FieldError)) throw error
        fail(path.startsWith('spec.cron') ? path : `${path}.${name}`, `${words(name)}: ${error.message}`)
        return []
      }
    }
    return Object.fromEntries(NAMES.map((name) => [name, read(name)])) as CompiledCalendar
  }
  const crons = (spec.cron ?? []).flatMap((text, index) => {
    const path = `spec.cron.${index}`
    const fields = cronFields(text)
    if (fields) return [calendar(fields, path, '0')]
    fail(
      path,
      'expected 5 fields (minute, hour, day of month, month, day of week), 6 with years, 7 with seconds and years, or @daily and its like',
    )
    return []
  })
  const intervals = (spec.intervals ?? []).map(({ every, offset = 'PT0S' }, index) => {
    const path = `spec.intervals.${index}`
    const interval = { every: durationMs(every) / 1000, offset: durationMs(offset) / 1000 }
    if (interval.every < 1 || !Number.isInteger(interval.every))
      fail(`${path}.every`, 'expected whole seconds, at least one')
    if (!Number.isInteger(interval.offset) || interval.offset >= interval.every)
      fail(`${path}.offset`, 'expected whole seconds, less than `every`')
    return interval
  })
  const timeZone = spec.timeZone ?? 'UTC'
  if (!isTimeZone(timeZone))
    fail('spec.timeZone', `${timeZone} is no time zone: expected as in Europe/Berlin`)
  const startAt = spec.startAt === undefined ? Number.NEGATIVE_INFINITY : Date.parse(spec.startAt) / 1000
  const endAt = spec.endAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(spec.endAt) / 1000
  if (endAt < startAt) fail('spec.endAt', 'it is before `startAt`')
  const compiled = {
    calendars: [
      ...crons,
      ...(spec.calendars ?? []).map((each, index) => calendar(each, `spec.calendars.${index}`, '0')),
    ],
    intervals,
    skip: (spec.skip ?? []).map((each, index) => calendar(each, `spec.skip.${index}`, '*')),
    timeZone,
    startAt,
    endAt,
  }
  return { compiled, errors }
}

function cronFields(text: string): ScheduleCalendar | undefined {
  const trimmed = text.trim()
  const fields = (SHORT[trimmed] ?? trimmed).split(/\s+/)
  const whole = fields.length === 7 ? fields : fields.length === 6 ? ['0', ...fields] : ['0', ...fields, '*']
  if (fields.length < 5 || whole.length !== ORDER.length) return undefined
  return Object.fromEntries(ORDER.map((name, index) => [name, whole[index]]))
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    // Offsets are no zones to Temporal.
    return !/^[+-]/.test(name)
  } catch {
    return false
  }
}

const words = (name: FieldName): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
