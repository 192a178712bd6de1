import type { Command } from 'commander'
import { nextLines } from '../../following/end-lines.ts'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { findRunId } from '../../run-id.ts'

type Verb = 'cancel' | 'pause' | 'resume' | 'retry'

/** The commands that move a run. Repeating one is harmless. */
export function addSteering(runs: Command, words: Words): void {
  const { runs: help } = words.help
  steer(runs.command('cancel').description(help.cancel), 'cancel', words)
  steer(runs.command('pause').description(help.pause), 'pause', words)
  steer(runs.command('resume').description(help.resume), 'resume', words)
  steer(runs.command('retry').description(help.retry), 'retry', words)
}

function steer(command: Command, verb: Verb, words: Words): void {
  const { runs: help, arguments: named } = words.help
  command
    .argument('<run>', named.run)
    .option('--reason <text>', help.reason)
    .action(async (text: string, { reason }: { reason?: string }) => {
      const { json, screen, printJson, client: connect } = invocationOf(command)
      const client = connect()
      const id = await findRunId(client, text, words)
      const run = await client.runs[verb](id, reason === undefined ? {} : { reason })
      if (json) return printJson(run)
      const follow = [words.run.next.follow, `runs show ${id} --follow`] as const
      screen.print(words.run.verbs[verb], ...nextLines([follow], screen))
    })
}
