import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { onDemand } from './on-demand.ts'

export function addKeys(program: Command, words: Words): void {
  program
    .command('keys')
    .description(words.keys.help.keys)
    .action(onDemand(async () => (await import('../actions/keys.ts')).showKeys))
}
