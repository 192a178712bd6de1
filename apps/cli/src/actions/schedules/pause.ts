import type { Schedule } from '@devflow/client'
import type { Command } from 'commander'
import { type Invocation, invocationOf } from '../../invocation.ts'
import { stateOf } from '../../sources/schedule-state.ts'

export async function pauseSchedule(
  id: string,
  { reason }: { reason?: string },
  command: Command,
): Promise<void> {
  const invocation = invocationOf(command)
  tell(invocation, await invocation.client().schedules.pause(id, reason))
}

export async function resumeSchedule(id: string, _: object, command: Command): Promise<void> {
  const invocation = invocationOf(command)
  tell(invocation, await invocation.client().schedules.resume(id))
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
