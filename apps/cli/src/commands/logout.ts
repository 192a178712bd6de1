import { Argument, type Command } from 'commander'
import { KEY_PROVIDERS } from '../keys/providers.ts'
import type { Words } from '../messages/words.ts'
import { onDemand } from './on-demand.ts'

export function addLogout(program: Command, words: Words): void {
  const { help } = words.keys
  program
    .command('logout')
    .description(help.logout)
    .addArgument(new Argument('<provider>', help.provider).choices(KEY_PROVIDERS))
    .action(onDemand(async () => (await import('../actions/logout.ts')).logOut))
}
