import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { lastCell, lastLine } from '../sources/occasion.ts'
import { addResource, only } from '../sources/resource.ts'
import { stateOf } from '../sources/schedule-state.ts'
import { addBackfill } from './schedules/backfill.ts'
import { addPause } from './schedules/pause.ts'
import { addTrigger } from './schedules/trigger.ts'

export function addSchedules(program: Command, words: Words): void {
  const { columns, last, next, states } = words.sources
  const schedules = program.command('schedules')
  addResource(schedules, words, {
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
  })
  addPause(schedules, words)
  addTrigger(schedules, words)
  addBackfill(schedules, words)
}
