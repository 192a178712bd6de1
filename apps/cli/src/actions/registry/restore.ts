import type { Command } from 'commander'
import { changeLines } from '../../entries/change-lines.ts'
import { invocationOf } from '../../invocation.ts'

export async function restoreVersion(
  from: number,
  { base }: { base?: number },
  command: Command,
): Promise<void> {
  const { json, screen, words, printJson, client } = invocationOf(command)
  const made = await client().registry.restore(from, base === undefined ? {} : { baseVersion: base })
  if (json) return printJson(made)
  screen.print(...changeLines(made.applied, screen), words.registry.restored(made.version, from))
}
