import type { ScheduleSpec } from '@devflow/contracts'
import { expect, test } from 'vitest'
import { compileSpec } from './compile-spec.ts'
import { scheduleTimes } from './times.ts'

const times = (spec: ScheduleSpec, from: string, most: number, until?: string) =>
  scheduleTimes(compileSpec(spec).compiled, {
    after: new Date(from),
    most,
    ...(until === undefined ? {} : { until: new Date(until) }),
  }).map((time) => time.toISOString().replace('.000Z', 'Z'))

test.each<[string, ScheduleSpec, from: string, expected: string[]]>([
  [
    'working days, past a weekend',
    { cron: ['0 9 * * MON-FRI'] },
    '2026-11-20T10:00:00Z',
    ['2026-11-23T09:00:00Z', '2026-11-24T09:00:00Z'],
  ],
  [
    'a time itself is not after it',
    { cron: ['*/20 * * * *'] },
    '2026-11-20T10:20:00Z',
    ['2026-11-20T10:40:00Z', '2026-11-20T11:00:00Z'],
  ],
  [
    'the last of a leap February',
    { cron: ['0 0 29 2 *'] },
    '2026-01-01T00:00:00Z',
    ['2028-02-29T00:00:00Z', '2032-02-29T00:00:00Z'],
  ],
  [
    'seconds and years',
    { cron: ['30 59 23 31 DEC * 2027-2028'] },
    '2026-01-01T00:00:00Z',
    ['2027-12-31T23:59:30Z', '2028-12-31T23:59:30Z'],
  ],
  [
    'several at once, each time once',
    { cron: ['0 * * * *', '@daily'], intervals: [{ every: 'PT90M' }] },
    '2026-11-20T22:30:00Z',
    ['2026-11-20T23:00:00Z', '2026-11-21T00:00:00Z', '2026-11-21T01:00:00Z', '2026-11-21T01:30:00Z'],
  ],
  [
    'all but what is skipped, whatever the hour',
    { cron: ['0 12 * * *'], skip: [{ month: 12, dayOfMonth: '24-26' }] },
    '2026-12-23T00:00:00Z',
    ['2026-12-23T12:00:00Z', '2026-12-27T12:00:00Z'],
  ],
  [
    'an hour that is left out as clocks are put forward',
    { cron: ['30 2 * * *'], timeZone: 'Europe/Berlin' },
    '2026-03-28T00:00:00Z',
    ['2026-03-28T01:30:00Z', '2026-03-30T00:30:00Z'],
  ],
  [
    'an hour that comes twice as clocks are put back',
    { cron: ['30 2 * * *'], timeZone: 'Europe/Berlin' },
    '2026-10-24T12:00:00Z',
    ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-10-26T01:30:00Z'],
  ],
  [
    'half an hour that comes twice',
    { cron: ['45 1 * * *'], timeZone: 'Australia/Lord_Howe' },
    '2026-04-04T00:00:00Z',
    ['2026-04-04T14:45:00Z', '2026-04-04T15:15:00Z', '2026-04-05T15:15:00Z'],
  ],
  [
    'a day that begins in the day before, far to the east',
    { calendars: [{ dayOfWeek: 'SUN' }], timeZone: 'Pacific/Kiritimati' },
    '2026-11-20T00:00:00Z',
    ['2026-11-21T10:00:00Z', '2026-11-28T10:00:00Z'],
  ],
])('times are named: %s', (_, spec, from, expected) => {
  expect(times(spec, from, expected.length)).toEqual(expected)
})

test('times begin and end where the schedule does, both ends included', () => {
  const spec = {
    intervals: [{ every: 'PT1H' }],
    startAt: '2026-11-20T10:00:00Z',
    endAt: '2026-11-20T12:00:00Z',
  }
  const all = ['2026-11-20T10:00:00Z', '2026-11-20T11:00:00Z', '2026-11-20T12:00:00Z']
  expect(times(spec, '2026-01-01T00:00:00Z', 9)).toEqual(all)
  expect(times(spec, '2026-01-01T00:00:00Z', 9, '2026-11-20T11:59:59Z')).toEqual(all.slice(0, 2))
})

test('a weekend of seconds that are skipped is passed over', () => {
  const spec = { intervals: [{ every: 'PT1S' }], skip: [{ dayOfWeek: 'SAT,SUN' }] }
  expect(times(spec, '2026-11-20T23:59:59Z', 1)).toEqual(['2026-11-23T00:00:00Z'])
})

test('a schedule that skips all it names comes to an end', () => {
  expect(times({ intervals: [{ every: 'PT1S' }], skip: [{}] }, '2026-01-01T00:00:00Z', 1)).toEqual([])
})

test.each<[ScheduleSpec, path: string, says: RegExp]>([
  [{ cron: ['* * *'] }, 'spec.cron.0', /5 fields/],
  [{ cron: ['0 9 * * *', '60 * * * *'] }, 'spec.cron.1', /minute: 60 is not from 0 to 59/],
  [{ cron: ['0 9 * * FRY'] }, 'spec.cron.0', /day of week: FRY is not from 0 to 7 or a name such as MON/],
  [{ cron: ['0 17-9 * * *'] }, 'spec.cron.0', /hour: 17-9 ends before it begins/],
  [{ cron: ['*/0 * * * *'] }, 'spec.cron.0', /minute: \*\/0 is no step/],
  [{ cron: ['0 9 L * *'] }, 'spec.cron.0', /day of month: L is not/],
  [{ calendars: [{ hour: 9 }, { hour: '9,' }] }, 'spec.calendars.1.hour', /nothing is not/],
  [{ intervals: [{ every: 'PT0.5S' }] }, 'spec.intervals.0.every', /whole seconds/],
  [{ intervals: [{ every: 'PT1H', offset: 'PT1H' }] }, 'spec.intervals.0.offset', /less than/],
  [{ cron: ['@daily'], timeZone: 'Europe/Berlim' }, 'spec.timeZone', /Europe\/Berlin/],
  [
    { cron: ['@daily'], startAt: '2026-02-01T00:00:00Z', endAt: '2026-01-01T00:00:00Z' },
    'spec.endAt',
    /before/,
  ],
])('%j is refused', (spec, path, says) => {
  expect(compileSpec(spec).errors).toEqual([{ path, message: expect.stringMatching(says) }])
})
