import { OVERLAPS, type Overlap } from '@devflow/contracts'
import { type Command, Option } from 'commander'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'

interface Flags {
  from: string
  to: string
  overlap?: Overlap
}

export function addBackfill(schedules: Command, words: Words): void {
  const { help } = words.sources
  schedules
    .command('backfill')
    .description(help.schedules.backfill)
    .argument('<id>', help.id)
    .addOption(new Option('--from <time>', help.schedules.from).makeOptionMandatory())
    .addOption(new Option('--to <time>', help.schedules.to).makeOptionMandatory())
    .addOption(new Option('--overlap <policy>', help.schedules.overlap).choices(OVERLAPS))
    .action(async (id: string, range: Flags, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      const backfilled = await client().schedules.backfill(id, range)
      if (json) return printJson(backfilled)
      screen.print(words.sources.backfilled(backfilled.times, backfilled.added))
    })
}
