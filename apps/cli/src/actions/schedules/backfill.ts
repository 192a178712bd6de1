import type { Overlap } from '@devflow/contracts'
import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'

interface Flags {
  from: string
  to: string
  overlap?: Overlap
}

export async function backfillSchedule(id: string, range: Flags, command: Command): Promise<void> {
  const { json, screen, words, printJson, client } = invocationOf(command)
  const backfilled = await client().schedules.backfill(id, range)
  if (json) return printJson(backfilled)
  screen.print(words.sources.backfilled(backfilled.times, backfilled.added))
}
