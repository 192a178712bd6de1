import type { Command } from 'commander'
import { attend } from '../../following/attend.ts'
import { invocationOf } from '../../invocation.ts'
import { findRunId } from '../../run-id.ts'
import { runLines } from './run-lines.ts'

export async function showRun(
  text: string,
  { follow = false }: { follow?: boolean },
  command: Command,
): Promise<void> {
  const invocation = invocationOf(command)
  const { json, screen, words, printJson } = invocation
  const client = invocation.client()
  const run = await client.runs.get(await findRunId(client, text, words))
  if (follow) process.exitCode = await attend(run, invocation)
  else if (json) printJson(run)
  else screen.print(...runLines(run, screen, words))
}
