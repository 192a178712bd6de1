import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'

export async function renewSecret(id: string, _: object, command: Command): Promise<void> {
  const { json, screen, words, printJson, client } = invocationOf(command)
  const said = words.sources
  const answer = await client().webhooks.renewSecret(id)
  if (json) return printJson(answer)
  screen.print(said.secret(answer.secret), said.oldUntil(answer.oldUntil))
}
