import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'

export function addReplay(webhooks: Command, words: Words): void {
  const said = words.sources
  const { help } = said
  webhooks
    .command('replay')
    .description(help.webhooks.replay)
    .argument('<id>', help.id)
    .argument('[delivery]', help.webhooks.delivery)
    .action(async (id: string, delivery: string | undefined, _: object, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      const answer = await client().webhooks.replay(id, delivery)
      if (json) return printJson(answer)
      screen.print(said.replayed(answer.replayed))
    })
}
