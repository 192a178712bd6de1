import type { Command } from 'commander'
import { changeLines } from '../../entries/change-lines.ts'
import { readEntries } from '../../entries/entry-files.ts'
import { placing, plannedChanges } from '../../entries/planned-changes.ts'
import { invocationOf } from '../../invocation.ts'
import { badUsage } from '../../refuse.ts'

interface Flags {
  delete?: string[]
  base?: number
  dryRun?: boolean
}

export async function applyEntries(
  files: string[],
  { delete: gone = [], base, dryRun }: Flags,
  command: Command,
): Promise<void> {
  const { json, screen, words, printJson, client: connect } = invocationOf(command)
  if (files.length + gone.length === 0) throw badUsage(words.failures.nothingToApply)
  const documents = readEntries(files, words)
  const client = connect()
  // Asked first: what changes after it is not overwritten, but makes the change stale.
  const baseVersion = base ?? (await client.registry.version())
  const { changes, unchanged } = await plannedChanges(client, documents, gone)
  const said = words.registry
  const same = unchanged.length > 0 ? [screen.palette.faint(said.unchanged(unchanged.length))] : []
  const planned = changes.map(({ op, id, kind }) => ({ op, id, ...(kind === undefined ? {} : { kind }) }))
  if (dryRun) {
    if (json) return printJson({ version: baseVersion, changes: planned, unchanged })
    return screen.print(...changeLines(planned, screen), ...same, said.dryRun)
  }
  if (changes.length === 0) {
    if (json) return printJson({ version: baseVersion, applied: [], unchanged })
    return screen.print(...same, said.nothing(baseVersion))
  }
  const sent = changes.map(({ op, entry }) => ({ op, entry }))
  const made = await placing(changes, client.registry.change({ baseVersion, changes: sent }))
  if (json) return printJson({ ...made, unchanged })
  screen.print(...changeLines(made.applied, screen), ...same, said.now(made.version))
}
