import type { Config } from '../config.ts'
import type { Words } from '../messages/words.ts'
import { notesOf } from './kept-keys.ts'
import { askKeyring, QUICK_MS } from './keyring.ts'
import type { Note } from './notes.ts'
import { KEY_PROVIDERS, KEY_VARIABLES, type KeyProvider } from './providers.ts'

/** Where a provider's key comes from. Never the key itself. */
export interface KeySource {
  provider: KeyProvider
  variable: string
  from: 'environment' | 'keyring' | 'file' | 'none'
  /** Beside one of the environment, which comes first. */
  kept?: 'keyring' | 'file'
  /** Why one that is kept cannot be had. */
  problem?: string
}

interface FoundKeys {
  sources: KeySource[]
  /** Those that were kept and are to be used, by their variables. */
  keys: Record<string, string>
}

/** What is known of a provider's key before the keyring is asked. */
type Known = { provider: KeyProvider; variable: string; isSet: boolean } & (
  | { note: Note | undefined }
  | { problem: string }
)

/**
 * Finds the key of each provider: that of the environment, else one that was kept. The keyring is asked only where it alone
 * has a key, and for three seconds at most.
 */
export async function findKeys(config: Config, words: Words): Promise<FoundKeys> {
  const known = KEY_PROVIDERS.map((provider) => knownOf(provider, config, words))
  const there = await fromKeyring(known, config, words)
  const keys: Record<string, string> = {}
  const sources = known.map((one): KeySource => {
    const { provider, variable, isSet } = one
    const source = { provider, variable }
    if ('problem' in one)
      return isSet ? { ...source, from: 'environment' } : { ...source, from: 'file', problem: one.problem }
    const { note } = one
    if (isSet) return { ...source, from: 'environment', ...(note ? { kept: note.in } : {}) }
    if (note === undefined) return { ...source, from: 'none' }
    const found = note.in === 'file' ? { key: note.key } : there(variable)
    if ('problem' in found) return { ...source, from: note.in, problem: found.problem }
    keys[variable] = found.key
    return { ...source, from: note.in }
  })
  return { sources, keys }
}

function knownOf(provider: KeyProvider, config: Config, words: Words): Known {
  const set = config.keySetBy(provider)
  const known = { provider, variable: set ?? KEY_VARIABLES[provider][0], isSet: set !== undefined }
  try {
    return { ...known, note: notesOf(config, words)?.read(provider) }
  } catch (error) {
    return { ...known, problem: error instanceof Error ? error.message : String(error) }
  }
}

type Found = { key: string } | { problem: string }

/** Asks for all keys that the keyring alone has, at once; without such a key nothing is asked. */
async function fromKeyring(
  known: readonly Known[],
  config: Config,
  words: Words,
): Promise<(variable: string) => Found> {
  const accounts = known.flatMap((one) =>
    'note' in one && one.note?.in === 'keyring' && !one.isSet ? [one.variable] : [],
  )
  if (accounts.length === 0) return () => ({ problem: words.keys.gone })
  const tasks = accounts.map((account) => ({ do: 'get' as const, account }))
  const answer = await askKeyring(tasks, QUICK_MS, config, words)
  return (variable) => {
    if (answer.is === 'away') return { problem: words.keys.away(answer.why) }
    const key = answer.results[accounts.indexOf(variable)]
    return typeof key === 'string' ? { key } : { problem: words.keys.gone }
  }
}
