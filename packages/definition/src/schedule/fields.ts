import type { ScheduleCalendar } from '@devflow/contracts'

/** A field of a calendar: what it may hold, and names for its values. */
interface FieldRule {
  min: number
  max: number
  names?: readonly string[]
  /** Letters a name must have at least, and the value of the first name. */
  letters?: number
}

const MONTHS = 'january february march april may june july august september october november december'.split(
  ' ',
)
const DAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ')

/** As Temporal reads them: 7 is Sunday too; years from 2000 to 2100. */
export const FIELDS = {
  second: { min: 0, max: 59 },
  minute: { min: 0, max: 59 },
  hour: { min: 0, max: 23 },
  dayOfMonth: { min: 1, max: 31 },
  month: { min: 1, max: 12, names: MONTHS, letters: 3 },
  dayOfWeek: { min: 0, max: 7, names: DAYS, letters: 2 },
  year: { min: 2000, max: 2100 },
} as const satisfies Record<keyof ScheduleCalendar, FieldRule>
export type FieldName = keyof typeof FIELDS

/** What cannot be read in a field, in words for a person. */
export class FieldError extends Error {}

/** The values that a field of cron names, ascending. Throws FieldError. */
export function valuesOf(name: FieldName, given: string | number): number[] {
  const rule: FieldRule = FIELDS[name]
  const values = new Set<number>()
  for (const part of String(given).split(',')) {
    const { from, to, step } = rangeOf(name, rule, part.trim())
    for (let value = from; value <= to; value += step) {
      values.add(name === 'dayOfWeek' && value === 7 ? 0 : value)
    }
  }
  return [...values].sort((a, b) => a - b)
}

function rangeOf(name: FieldName, rule: FieldRule, part: string): { from: number; to: number; step: number } {
  const [range = '', stepText, ...more] = part.split('/')
  const step = stepText === undefined ? 1 : /^\d+$/.test(stepText) ? Number(stepText) : 0
  if (more.length > 0 || step < 1) throw new FieldError(`${part} is no step: expected as in */5`)
  const { min, max } = rule
  if (range === '*') return { from: min, to: name === 'dayOfWeek' ? 6 : max, step }
  const [first = '', last, ...others] = range.split('-')
  if (others.length > 0) throw new FieldError(`${range} is no range: expected as in ${min}-${max}`)
  const from = valueIn(rule, first)
  if (last === undefined) return { from, to: stepText === undefined ? from : max, step }
  const to = valueIn(rule, last)
  if (to < from) throw new FieldError(`${range} ends before it begins`)
  return { from, to, step }
}

function valueIn({ min, max, names, letters = 0 }: FieldRule, text: string): number {
  const word = text.toLowerCase()
  const named = names && word.length >= letters ? names.findIndex((name) => name.startsWith(word)) : -1
  const value = named >= 0 ? named + min : /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  const alike = names ? ` or a name such as ${names[1]?.slice(0, 3).toUpperCase()}` : ''
  throw new FieldError(`${text === '' ? 'nothing' : text} is not from ${min} to ${max}${alike}`)
}
