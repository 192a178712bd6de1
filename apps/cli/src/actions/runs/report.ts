import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'
import { findRunId } from '../../run-id.ts'
import { harmless } from '../../terminal/fit.ts'

export async function showReport(text: string, _: object, command: Command): Promise<void> {
  const { json, screen, words, printJson, client: connect } = invocationOf(command)
  const client = connect()
  const id = await findRunId(client, text, words)
  if (json) printJson(await client.runs.report(id))
  else screen.print(harmless(await client.runs.reportMarkdown(id)).trimEnd())
}
