import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { addApply } from './registry/apply.ts'
import { addHistory } from './registry/history.ts'
import { addList } from './registry/list.ts'
import { addRestore } from './registry/restore.ts'
import { addShow } from './registry/show.ts'

export function addRegistry(program: Command, words: Words): void {
  const registry = program.command('registry').description(words.help.registry.about).helpCommand(false)
  addList(registry, words)
  addShow(registry, words)
  addApply(registry, words)
  addHistory(registry, words)
  addRestore(registry, words)
}
