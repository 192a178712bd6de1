import type { Command } from 'commander'
import { nextLines } from '../../following/end-lines.ts'
import { invocationOf } from '../../invocation.ts'
import { findRunId } from '../../run-id.ts'

/** Moves a run. */
export const steering =
  (verb: 'cancel' | 'pause' | 'resume' | 'retry') =>
  async (text: string, { reason }: { reason?: string }, command: Command): Promise<void> => {
    const { json, screen, words, printJson, client: connect } = invocationOf(command)
    const client = connect()
    const id = await findRunId(client, text, words)
    const run = await client.runs[verb](id, reason === undefined ? {} : { reason })
    if (json) return printJson(run)
    const follow = [words.run.next.follow, `runs show ${id} --follow`] as const
    screen.print(words.run.verbs[verb], ...nextLines([follow], screen))
  }
