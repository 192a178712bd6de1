import type { Command } from 'commander'
import { invocationOf } from '../invocation.ts'
import { forgetKey } from '../keys/kept-keys.ts'
import type { KeyProvider } from '../keys/providers.ts'

export async function logOut(provider: KeyProvider, _: object, command: Command): Promise<void> {
  const { json, config, screen, words, printJson } = invocationOf(command)
  const { forgotten, nothingToForget, stillSet, goesOn } = words.keys
  const wasKept = await forgetKey(provider, config, words)
  if (json) return printJson({ provider, forgotten: wasKept })
  const set = config.keySetBy(provider)
  screen.print(
    ...(wasKept ? [forgotten(provider), goesOn] : [nothingToForget(provider)]),
    ...(set === undefined ? [] : [stillSet(set)]),
  )
}
