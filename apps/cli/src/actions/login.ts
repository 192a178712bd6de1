import { isCancel, select } from '@clack/prompts'
import type { Command } from 'commander'
import { EXIT } from '../exit-codes.ts'
import { type Invocation, invocationOf } from '../invocation.ts'
import { type Kept, keepKey } from '../keys/kept-keys.ts'
import { KEY_PROVIDERS, KEY_VARIABLES, type KeyProvider } from '../keys/providers.ts'
import { readKey } from '../keys/read-key.ts'
import { badUsage } from '../refuse.ts'
import { wrap } from '../terminal/fit.ts'

export async function logIn(told: KeyProvider | undefined, _: object, command: Command): Promise<void> {
  const invocation = invocationOf(command)
  if (command.args.length > 1) throw badUsage(invocation.words.keys.noArgument)
  process.exitCode = await login(told, invocation)
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
