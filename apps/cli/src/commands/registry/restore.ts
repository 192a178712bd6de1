import type { Command } from 'commander'
import { changeLines } from '../../entries/planned-changes.ts'
import { invocationOf } from '../../invocation.ts'
import type { Words } from '../../messages/words.ts'
import { wholeIn } from '../values.ts'

const MOST = 2_147_483_647

export function addRestore(registry: Command, words: Words): void {
  const { registry: help, arguments: named } = words.help
  registry
    .command('restore')
    .description(help.restore)
    .argument('<version>', named.version, wholeIn(words, 0, MOST))
    .option('--base <version>', help.base, wholeIn(words, 0, MOST))
    .action(async (from: number, { base }: { base?: number }, command: Command) => {
      const { json, screen, printJson, client } = invocationOf(command)
      const made = await client().registry.restore(from, base === undefined ? {} : { baseVersion: base })
      if (json) return printJson(made)
      screen.print(...changeLines(made.applied, screen), words.registry.restored(made.version, from))
    })
}
