import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'

export async function replayDeliveries(
  id: string,
  delivery: string | undefined,
  _: object,
  command: Command,
): Promise<void> {
  const { json, screen, words, printJson, client } = invocationOf(command)
  const said = words.sources
  const answer = await client().webhooks.replay(id, delivery)
  if (json) return printJson(answer)
  screen.print(said.replayed(answer.replayed))
}
