import type { Schedule } from '@devflow/client'
import type { Command } from 'commander'
import { type Invocation, invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { stateOf } from '../../sources/schedule-state.ts'

export function addPause(schedules: Command, words: Words): void {
  const { help } = words.sources
  schedules
    .command('pause')
    .description(help.schedules.pause)
    .argument('<id>', help.id)
    .option('--reason <text>', help.reason)
    .action(async (id: string, { reason }: { reason?: string }, command: Command) => {
      const invocation = invocationOf(command)
      tell(invocation, await invocation.client().schedules.pause(id, reason))
    })
  schedules
    .command('resume')
    .description(help.schedules.resume)
    .argument('<id>', help.id)
    .action(async (id: string, _: object, command: Command) => {
      const invocation = invocationOf(command)
      tell(invocation, await invocation.client().schedules.resume(id))
    })
}

function tell({ json, screen, words, printJson }: Invocation, schedule: Schedule): void {
  if (json) {
    printJson(schedule)
    return
  }
  const { text, paint } = stateOf(schedule, words)
  const [next] = schedule.next
  screen.print(
    `${schedule.id}  ${screen.palette[paint](text)}`,
    ...(next === undefined ? [] : [`${words.sources.next}: ${next}`]),
  )
}
