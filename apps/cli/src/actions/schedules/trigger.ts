import type { Overlap } from '@devflow/contracts'
import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'

export async function triggerSchedule(
  id: string,
  { overlap }: { overlap?: Overlap },
  command: Command,
): Promise<void> {
  const { json, screen, words, printJson, client } = invocationOf(command)
  const schedule = await client().schedules.trigger(id, overlap === undefined ? {} : { overlap })
  if (json) return printJson(schedule)
  screen.print(words.sources.triggered(id))
}
