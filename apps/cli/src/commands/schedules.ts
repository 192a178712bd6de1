import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { addResource } from '../sources/add-resource.ts'
import { addBackfill } from './schedules/backfill.ts'
import { addPause } from './schedules/pause.ts'
import { addTrigger } from './schedules/trigger.ts'

export function addSchedules(program: Command, words: Words): void {
  const schedules = program.command('schedules')
  addResource(
    schedules,
    words,
    'schedules',
    async () => (await import('../sources/schedules.ts')).schedulesIn,
  )
  addPause(schedules, words)
  addTrigger(schedules, words)
  addBackfill(schedules, words)
}
