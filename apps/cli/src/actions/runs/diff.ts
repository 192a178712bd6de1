import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'
import { findRunId } from '../../run-id.ts'
import { diffLines } from './diff-lines.ts'

export async function diffRuns(text: string, otherText: string, _: object, command: Command): Promise<void> {
  const { json, screen, words, printJson, client: connect } = invocationOf(command)
  const client = connect()
  const run = await findRunId(client, text, words)
  const diff = await client.runs.diff(run, await findRunId(client, otherText, words))
  if (json) printJson(diff)
  else screen.print(...diffLines(diff, screen, words))
}
