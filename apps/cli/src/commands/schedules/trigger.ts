import { OVERLAPS } from '@devflow/contracts/choices'
import { type Command, Option } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'

export function addTrigger(schedules: Command, words: Words): void {
  const { help } = words.sources
  schedules
    .command('trigger')
    .description(help.schedules.trigger)
    .argument('<id>', help.id)
    .addOption(new Option('--overlap <policy>', help.schedules.overlap).choices(OVERLAPS))
    .action(onDemand(async () => (await import('../../actions/schedules/trigger.ts')).triggerSchedule))
}
