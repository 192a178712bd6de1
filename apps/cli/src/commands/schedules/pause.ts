import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'

export function addPause(schedules: Command, words: Words): void {
  const { help } = words.sources
  schedules
    .command('pause')
    .description(help.schedules.pause)
    .argument('<id>', help.id)
    .option('--reason <text>', help.reason)
    .action(onDemand(async () => (await import('../../actions/schedules/pause.ts')).pauseSchedule))
  schedules
    .command('resume')
    .description(help.schedules.resume)
    .argument('<id>', help.id)
    .action(onDemand(async () => (await import('../../actions/schedules/pause.ts')).resumeSchedule))
}
