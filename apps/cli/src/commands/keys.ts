import type { Command } from 'commander'
import { invocationOf } from '../invocation.ts'
import { findKeys, type KeySource } from '../keys/find-keys.ts'
import type { Words } from '../messages/words.ts'
import type { Screen } from '../terminal/screen.ts'
import { type Cell, table } from '../terminal/table.ts'

export function addKeys(program: Command, words: Words): void {
  program
    .command('keys')
    .description(words.keys.help.keys)
    .action(async (_: object, command: Command) => {
      const { json, config, screen, printJson } = invocationOf(command)
      const { sources } = await findKeys(config, words)
      if (json) return printJson({ items: sources })
      screen.print(...lines(sources, screen, words))
    })
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
