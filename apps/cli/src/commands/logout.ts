import { Argument, type Command } from 'commander'
import { invocationOf } from '../invocation.ts'
import { forgetKey } from '../keys/kept-keys.ts'
import { KEY_PROVIDERS, type KeyProvider } from '../keys/providers.ts'
import type { Words } from '../messages/words.ts'

export function addLogout(program: Command, words: Words): void {
  const { help, forgotten, nothingToForget, stillSet, goesOn } = words.keys
  program
    .command('logout')
    .description(help.logout)
    .addArgument(new Argument('<provider>', help.provider).choices(KEY_PROVIDERS))
    .action(async (provider: KeyProvider, _: object, command: Command) => {
      const { json, config, screen, printJson } = invocationOf(command)
      const wasKept = await forgetKey(provider, config, words)
      if (json) return printJson({ provider, forgotten: wasKept })
      const set = config.keySetBy(provider)
      screen.print(
        ...(wasKept ? [forgotten(provider), goesOn] : [nothingToForget(provider)]),
        ...(set === undefined ? [] : [stillSet(set)]),
      )
    })
}
