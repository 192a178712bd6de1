import type { Command } from 'commander'
import { stringify } from 'yaml'
import { invocationOf } from '../../invocation.ts'
import { harmless } from '../../terminal/fit.ts'

export async function showEntry(id: string, _: object, command: Command): Promise<void> {
  const { json, screen, words, printJson, client } = invocationOf(command)
  const found = await client().registry.show(id)
  if (json) return printJson(found)
  const { sources, hash } = words.registry
  // A comment, so that all of it is YAML that `apply` takes.
  screen.print(
    screen.palette.faint(`# ${sources[found.source] ?? found.source}, ${hash} ${found.hash}`),
    harmless(stringify(found.entry, { lineWidth: 0 })).trimEnd(),
  )
}
