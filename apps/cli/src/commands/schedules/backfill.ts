import { OVERLAPS } from '@devflow/contracts/choices'
import { type Command, Option } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'

export function addBackfill(schedules: Command, words: Words): void {
  const { help } = words.sources
  schedules
    .command('backfill')
    .description(help.schedules.backfill)
    .argument('<id>', help.id)
    .addOption(new Option('--from <time>', help.schedules.from).makeOptionMandatory())
    .addOption(new Option('--to <time>', help.schedules.to).makeOptionMandatory())
    .addOption(new Option('--overlap <policy>', help.schedules.overlap).choices(OVERLAPS))
    .action(onDemand(async () => (await import('../../actions/schedules/backfill.ts')).backfillSchedule))
}
