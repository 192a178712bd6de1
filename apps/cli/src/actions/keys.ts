import type { Command } from 'commander'
import { invocationOf } from '../invocation.ts'
import { findKeys, type KeySource } from '../keys/find-keys.ts'
import type { Words } from '../messages/words.ts'
import type { Screen } from '../terminal/screen.ts'
import { type Cell, table } from '../terminal/table.ts'

export async function showKeys(_: object, command: Command): Promise<void> {
  const { json, config, screen, words, printJson } = invocationOf(command)
  const { sources } = await findKeys(config, words)
  if (json) return printJson({ items: sources })
  screen.print(...lines(sources, screen, words))
}

function lines(sources: readonly KeySource[], screen: Screen, words: Words): string[] {
  const { columns } = words.keys
  return table(
    [{ title: columns.provider }, { title: columns.variable }, { title: columns.from, gives: true }],
    sources.map((source) => [source.provider, source.variable, fromOf(source, words)]),
    screen,
  )
}

function fromOf({ from, kept, problem }: KeySource, { keys: { places, before } }: Words): Cell {
  if (problem !== undefined) return { text: `${places[from]}: ${problem}`, paint: 'bad' }
  if (kept !== undefined) return before(places[from], places[kept])
  return { text: places[from], paint: from === 'none' ? 'faint' : 'plain' }
}
