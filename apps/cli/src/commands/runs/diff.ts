import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { findRunId } from '../../run-id.ts'
import { diffLines } from './diff-lines.ts'

export function addDiff(runs: Command, words: Words): void {
  runs
    .command('diff')
    .description(words.forks.help.diff)
    .argument('<run>', words.help.arguments.run)
    .argument('<other>', words.forks.help.other)
    .action(async (text: string, otherText: string, _: object, command: Command) => {
      const { json, screen, printJson, client: connect } = invocationOf(command)
      const client = connect()
      const run = await findRunId(client, text, words)
      const diff = await client.runs.diff(run, await findRunId(client, otherText, words))
      if (json) printJson(diff)
      else screen.print(...diffLines(diff, screen, words))
    })
}
