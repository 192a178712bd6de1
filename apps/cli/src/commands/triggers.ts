import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { addResource } from '../sources/add-resource.ts'

export function addTriggers(program: Command, words: Words): void {
  addResource(
    program.command('triggers'),
    words,
    'triggers',
    async () => (await import('../sources/triggers.ts')).triggersIn,
  )
}
