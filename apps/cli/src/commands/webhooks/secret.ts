import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'

export function addSecret(webhooks: Command, words: Words): void {
  const said = words.sources
  const { help } = said
  webhooks
    .command('secret')
    .description(help.webhooks.secret)
    .argument('<id>', help.id)
    .action(async (id: string, _: object, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      const answer = await client().webhooks.renewSecret(id)
      if (json) return printJson(answer)
      screen.print(said.secret(answer.secret), said.oldUntil(answer.oldUntil))
    })
}
