import { isCancel, select } from '@clack/prompts'
import { Argument, type Command } from 'commander'
import { EXIT } from '../exit-codes.ts'
import { type Invocation, invocationOf } from '../invocation.ts'
import { type Kept, keepKey } from '../keys/kept-keys.ts'
import { KEY_PROVIDERS, KEY_VARIABLES, type KeyProvider } from '../keys/providers.ts'
import { readKey } from '../keys/read-key.ts'
import type { Words } from '../messages/words.ts'
import { badUsage } from '../refuse.ts'
import { wrap } from '../terminal/fit.ts'

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
    .action(async (told: KeyProvider | undefined, _: object, command: Command) => {
      if (command.args.length > 1) throw badUsage(words.keys.noArgument)
      process.exitCode = await login(told, invocationOf(command))
    })
}

/** What is no provider may be a key, and is not repeated. */
const providerIn =
  ({ keys: words }: Words) =>
  (text: string): KeyProvider => {
    const provider = KEY_PROVIDERS.find((each) => each === text)
    if (provider === undefined) throw badUsage(words.whichNeeded(KEY_PROVIDERS.join(', ')))
    return provider
  }

async function login(told: KeyProvider | undefined, invocation: Invocation): Promise<number> {
  const { json, config, words, screen, printJson } = invocation
  const provider = told ?? (await whichProvider(invocation))
  const key = provider && (await readKey(provider, invocation))
  if (provider === undefined || key === undefined) {
    screen.print(words.keys.left)
    return EXIT.interrupted
  }
  const { kept, replaced } = await keepKey(provider, key, config, words)
  const [variable] = KEY_VARIABLES[provider]
  const file = kept.in === 'file' ? { file: kept.file } : {}
  if (json) printJson({ provider, variable, kept: kept.in, ...file, replaced })
  else screen.print(...lines(provider, kept, replaced, invocation))
  return EXIT.completed
}

async function whichProvider({ json, screen, words }: Invocation): Promise<KeyProvider | undefined> {
  if (json || !screen.canAsk) throw badUsage(words.keys.whichNeeded(KEY_PROVIDERS.join(', ')))
  const options = KEY_PROVIDERS.map((value) => ({ value }))
  const choice = await select({
    message: words.keys.which,
    options,
    withGuide: false,
    showInstructions: false,
  })
  return isCancel(choice) ? undefined : choice
}

function lines(
  provider: KeyProvider,
  kept: Kept,
  replaced: boolean,
  { config, words: { keys: words }, screen }: Invocation,
): string[] {
  const set = config.keySetBy(provider)
  return [
    kept.in === 'keyring' ? words.inKeyring(provider) : words.inFile(provider, kept.file, kept.why),
    ...(replaced ? [words.replaced] : []),
    ...(set === undefined ? [] : [words.environmentFirst(set)]),
    words.restart(screen.program),
  ].flatMap((line) => wrap(line, screen.width))
}
