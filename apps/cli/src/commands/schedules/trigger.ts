import { OVERLAPS, type Overlap } from '@devflow/contracts'
import { type Command, Option } from 'commander'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'

export function addTrigger(schedules: Command, words: Words): void {
  const { help } = words.sources
  schedules
    .command('trigger')
    .description(help.schedules.trigger)
    .argument('<id>', help.id)
    .addOption(new Option('--overlap <policy>', help.schedules.overlap).choices(OVERLAPS))
    .action(async (id: string, { overlap }: { overlap?: Overlap }, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      const schedule = await client().schedules.trigger(id, overlap === undefined ? {} : { overlap })
      if (json) return printJson(schedule)
      screen.print(words.sources.triggered(id))
    })
}
