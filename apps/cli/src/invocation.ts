import { resolve } from 'node:path'
import { type ClientOptions, DevflowClient } from '@devflow/client'
import type { Command } from 'commander'
import { type Config, readConfig } from './config.ts'
import { type Language, wordsIn } from './messages/languages.ts'
import type { Words } from './messages/words.ts'
import { type Screen, screenOf } from './terminal/screen.ts'
import { DATA_FOLDER } from './up/data-folder.ts'
import { runningOn } from './up/running.ts'

/** Options that every command takes. */
interface SharedOptions {
  json?: boolean
  url?: string
  token?: string
  lang?: Language
}

/** What a command works with, beside its own options. */
export interface Invocation {
  readonly words: Words
  readonly language: Language
  readonly json: boolean
  readonly screen: Screen
  readonly config: Config
  /** Where the API is, as told or as found. */
  readonly url: string
  /** Whether it was told where the API is. */
  readonly isToldUrl: boolean
  /** What is asked for by an API that others can reach. */
  readonly token: string | undefined
  client(options?: Pick<ClientOptions, 'baseUrl' | 'onRetry'>): DevflowClient
  /** Prints one JSON document. */
  printJson(value: unknown): void
}

const DEFAULT_URL = 'http://127.0.0.1:8787'

export function invocationOf(command: Command): Invocation {
  const { json = false, lang, token: toldToken, url: toldUrl } = command.optsWithGlobals<SharedOptions>()
  const config = readConfig(process.env)
  const told = toldUrl ?? config.url
  const url = told ?? runningOn(resolve(DATA_FOLDER))?.api ?? DEFAULT_URL
  const token = toldToken ?? config.token
  const language = lang ?? config.language
  const words = wordsIn(language)
  const screen = screenOf(process.stdin, process.stdout, config)
  return {
    words,
    language,
    json,
    screen,
    config,
    url,
    isToldUrl: told !== undefined,
    token,
    client: (options) =>
      // A person waits: what is not there is told at once. Streams are connected again all the same.
      new DevflowClient({ baseUrl: url, ...options, token, retry: { retries: 0 } }),
    printJson: (value) => screen.print(JSON.stringify(value)),
  }
}
