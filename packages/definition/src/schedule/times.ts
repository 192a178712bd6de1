import type { ScheduleSpec } from '@devflow/contracts'
import { type CompiledCalendar, type CompiledSpec, compileSpec } from './compile-spec.ts'

const DAY = 86_400
/** The last year that Temporal looks into. */
const END_OF_TIME = Date.UTC(2101, 0, 1) / 1000
/** Of a schedule that skips nearly all it names, no more are looked at. */
const MOST_LOOKED_AT = 1_000_000

/**
 * The times of a schedule after `after`, ascending, at most `most`, none later than `until`. A time matches when the clock on
 * the wall shows it: an hour that a change of clocks leaves out has no times, one that comes twice has them twice. (Temporal,
 * which tells of them, differs where clocks are put back: there it leaves some out and tells of others.)
 */
export function scheduleTimes(
  spec: CompiledSpec,
  { after, until, most }: { after: Date; until?: Date; most: number },
): Date[] {
  const zone = new Zone(spec.timeZone)
  const from = Math.max(Math.floor(after.getTime() / 1000), Math.ceil(spec.startAt) - 1)
  const end = Math.min(spec.endAt, END_OF_TIME, until ? until.getTime() / 1000 : Number.POSITIVE_INFINITY)
  const sources = [
    ...spec.calendars.map((calendar) => calendarTimes(calendar, zone, from, end)),
    ...spec.intervals.map((interval) => intervalTimes(interval, from)),
  ]
  const skipped = skipping(spec.skip)
  const heads = sources.map((source) => source.next())
  const times: Date[] = []
  for (let looked = 0; times.length < most && looked < MOST_LOOKED_AT; looked += 1) {
    const earliest = Math.min(...heads.map(({ value }) => value ?? Number.POSITIVE_INFINITY))
    if (earliest > end) break
    for (const [index, head] of heads.entries()) {
      const source = sources[index]
      if (source && head.value === earliest) heads[index] = source.next()
    }
    if (!skipped(earliest + zone.offset(earliest))) times.push(new Date(earliest * 1000))
  }
  return times
}

/** Whether a schedule names this time. */
export function isTimeOf(spec: ScheduleSpec, at: Date): boolean {
  const { compiled } = compileSpec(spec)
  const after = new Date(at.getTime() - 1000)
  return scheduleTimes(compiled, { after, until: at, most: 1 })[0]?.getTime() === at.getTime()
}

type Times = Generator<number, undefined>

function* intervalTimes({ every, offset }: CompiledSpec['intervals'][number], from: number): Times {
  for (let time = (Math.floor((from - offset) / every) + 1) * every + offset; ; time += every) yield time
}

function* calendarTimes(calendar: CompiledCalendar, zone: Zone, from: number, end: number): Times {
  const first = Math.floor((from + zone.offset(from)) / DAY) * DAY
  for (let day = first; day <= end + DAY; day += DAY) {
    if (!isDay(calendar, day)) continue
    const offsets = zone.offsetsOf(day)
    const [offset = 0, other] = offsets
    if (other === undefined) yield* clock(calendar, day - offset, from)
    else {
      const times = offsets.flatMap((each) =>
        [...clock(calendar, day - each, from)].filter((time) => zone.offset(time) === each),
      )
      yield* times.sort((a, b) => a - b)
    }
  }
  return undefined
}

function* clock(
  { hour, minute, second }: CompiledCalendar,
  midnight: number,
  from: number,
): Generator<number> {
  for (const h of hour) {
    if (midnight + (h + 1) * 3600 <= from) continue
    for (const m of minute) {
      for (const s of second) {
        const time = midnight + h * 3600 + m * 60 + s
        if (time > from) yield time
      }
    }
  }
}

/** `day`: seconds of a clock on the wall, read as if they were UTC. */
function isDay({ year, month, dayOfMonth, dayOfWeek }: CompiledCalendar, day: number): boolean {
  const date = new Date(day * 1000)
  return (
    month.includes(date.getUTCMonth() + 1) &&
    dayOfMonth.includes(date.getUTCDate()) &&
    dayOfWeek.includes(date.getUTCDay()) &&
    year.includes(date.getUTCFullYear())
  )
}

/** Whether a time on the wall is left out. Most are asked about in order: what a day has of calendars is found out once. */
function skipping(calendars: readonly CompiledCalendar[]): (wall: number) => boolean {
  let day = Number.NaN
  let todays: readonly CompiledCalendar[] = []
  return (wall) => {
    const today = Math.floor(wall / DAY)
    if (today !== day) {
      day = today
      todays = calendars.filter((calendar) => isDay(calendar, wall))
    }
    const time = wall - today * DAY
    return todays.some(
      ({ hour, minute, second }) =>
        hour.includes(Math.floor(time / 3600)) &&
        minute.includes(Math.floor(time / 60) % 60) &&
        second.includes(time % 60),
    )
  }
}

/** How far the clocks of a time zone are ahead of UTC, in seconds. */
class Zone {
  readonly #format: Intl.DateTimeFormat | undefined
  /** By quarter of an hour: clocks change at no other times. */
  readonly #known = new Map<number, number>()

  constructor(timeZone: string) {
    if (timeZone === 'UTC') return
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  offset(time: number): number {
    if (!this.#format) return 0
    const quarter = Math.floor(time / 900)
    const known = this.#known.get(quarter)
    if (known !== undefined) return known
    const parts = new Map(
      this.#format.formatToParts(quarter * 900_000).map(({ type, value }) => [type, Number(value)]),
    )
    const of = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0
    const wall =
      Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second')) / 1000
    const offset = wall - quarter * 900
    this.#known.set(quarter, offset)
    return offset
  }

  /** The offsets in force at some time of a day on the wall: one, or two where clocks change. */
  offsetsOf(day: number): number[] {
    return [...new Set([this.offset(day - DAY), this.offset(day + DAY), this.offset(day + 2 * DAY)])]
  }
}
