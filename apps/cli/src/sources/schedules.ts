import type { PutSchedule, Schedule } from '@devflow/client'
import type { Words } from '../messages/words.ts'
import { lastCell, lastLine } from './occasion.ts'
import { only } from './only.ts'
import type { Resource } from './resource.ts'
import { stateOf } from './schedule-state.ts'

export function schedulesIn(words: Words): Resource<Schedule, PutSchedule> {
  const { columns, last, next, states } = words.sources
  return {
    name: 'schedules',
    calls: (client) => client.schedules,
    columns: [
      { title: columns.id },
      { title: columns.template, gives: true },
      { title: columns.state },
      { title: columns.next },
      { title: columns.last, gives: true },
    ],
    row: (schedule) => [
      schedule.id,
      schedule.submit.template,
      stateOf(schedule, words),
      schedule.next[0] ?? '',
      lastCell(schedule.last[0], words),
    ],
    body: (schedule) => only(schedule, 'spec', 'submit', 'overlap', 'jitter', 'catchUp', 'remaining'),
    standing: (schedule) => [
      ...(schedule.paused ? [[states.paused, schedule.pausedBecause].filter(Boolean).join(': ')] : []),
      ...(schedule.problem === undefined ? [] : [schedule.problem]),
      ...schedule.next.map((time) => `${next}: ${time}`),
      ...schedule.last.map((occasion) => `${last}: ${lastLine(occasion, words)}`),
    ],
  }
}
