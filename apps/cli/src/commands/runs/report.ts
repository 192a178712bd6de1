import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { findRunId } from '../../run-id.ts'
import { harmless } from '../../terminal/fit.ts'

export function addReport(runs: Command, words: Words): void {
  const { runs: help, arguments: named } = words.help
  runs
    .command('report')
    .description(help.report)
    .argument('<run>', named.run)
    .action(async (text: string, _: object, command: Command) => {
      const { json, screen, printJson, client: connect } = invocationOf(command)
      const client = connect()
      const id = await findRunId(client, text, words)
      if (json) printJson(await client.runs.report(id))
      else screen.print(harmless(await client.runs.reportMarkdown(id)).trimEnd())
    })
}
