import type { Command } from 'commander'
import { attend } from '../../following/attend.ts'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { findRunId } from '../../run-id.ts'
import { runLines } from './run-lines.ts'

export function addShow(runs: Command, words: Words): void {
  const { runs: help, arguments: named } = words.help
  runs
    .command('show')
    .description(help.show)
    .argument('<run>', named.run)
    .option('--follow', help.follow)
    .action(async (text: string, { follow = false }: { follow?: boolean }, command: Command) => {
      const invocation = invocationOf(command)
      const client = invocation.client()
      const run = await client.runs.get(await findRunId(client, text, words))
      if (follow) process.exitCode = await attend(run, invocation)
      else if (invocation.json) invocation.printJson(run)
      else invocation.screen.print(...runLines(run, invocation.screen, words))
    })
}
