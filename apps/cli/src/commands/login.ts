import { Argument, type Command } from 'commander'
import { KEY_PROVIDERS, type KeyProvider } from '../keys/providers.ts'
import type { Words } from '../messages/words.ts'
import { badUsage } from '../refuse.ts'
import { onDemand } from './on-demand.ts'

export function addLogin(program: Command, words: Words): void {
  const { help } = words.keys
  program
    .command('login')
    .description(help.login)
    .addArgument(
      new Argument('[provider]', help.provider).choices(KEY_PROVIDERS).argParser(providerIn(words)),
    )
    // One too many is told below: what it is must not be repeated.
    .allowExcessArguments()
    .action(onDemand(async () => (await import('../actions/login.ts')).logIn))
}

/** What is no provider may be a key, and is not repeated. */
const providerIn =
  ({ keys: words }: Words) =>
  (text: string): KeyProvider => {
    const provider = KEY_PROVIDERS.find((each) => each === text)
    if (provider === undefined) throw badUsage(words.whichNeeded(KEY_PROVIDERS.join(', ')))
    return provider
  }
