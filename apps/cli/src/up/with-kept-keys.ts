import { type Config, withKeys } from '../config.ts'
import { findKeys } from '../keys/find-keys.ts'
import type { Words } from '../messages/words.ts'

/** The configuration with the keys that were kept, as if they stood in the environment. One that cannot be had is only told. */
export async function withKeptKeys(
  config: Config,
  words: Words,
  warn: (text: string) => void,
): Promise<Config> {
  const { sources, keys } = await findKeys(config, words)
  for (const { provider, problem } of sources)
    if (problem !== undefined) warn(words.keys.notUsed(provider, problem))
  return Object.keys(keys).length === 0 ? config : withKeys(config, keys)
}
