import { existsSync } from 'node:fs'
import { DevflowError } from '@devflow/contracts'
import { configFolder } from '@devflow/local-stack'
import type { Config } from '../config.ts'
import type { Words } from '../messages/words.ts'
import { badUsage } from '../refuse.ts'
import { askKeyring, PATIENT_MS } from './keyring.ts'
import { type Notes, notesIn } from './notes.ts'
import { KEY_VARIABLES, type KeyProvider } from './providers.ts'

/** Where a key is kept. `why`: why it is in a file. */
export type Kept = { in: 'keyring' } | { in: 'file'; file: string; why: string }

/**
 * Keeps a provider's key in the keyring, or in a file where that cannot be used. `replaced`: one was kept. Rejects with
 * UNAVAILABLE `keys_unwritable`, or INVALID `no_home`.
 */
export async function keepKey(
  provider: KeyProvider,
  key: string,
  config: Config,
  words: Words,
): Promise<{ kept: Kept; replaced: boolean }> {
  const notes = requireNotes(config, words)
  const file = notes.file(provider)
  const replaced = existsSync(file)
  const [account] = KEY_VARIABLES[provider]
  const answer = await askKeyring([{ do: 'set', account, key }], PATIENT_MS, config, words)
  if (answer.is === 'done') {
    notes.write(provider, { in: 'keyring' })
    return { kept: { in: 'keyring' }, replaced }
  }
  notes.write(provider, { in: 'file', key })
  return { kept: { in: 'file', file, why: answer.why }, replaced }
}

/**
 * Forgets a provider's key, wherever it is. Answers whether there was one. Rejects with UNAVAILABLE `keyring_away` where the
 * keyring has it and cannot be used: then nothing is forgotten.
 */
export async function forgetKey(provider: KeyProvider, config: Config, words: Words): Promise<boolean> {
  const notes = requireNotes(config, words)
  const wasNoted = existsSync(notes.file(provider))
  const [account] = KEY_VARIABLES[provider]
  // Also where the note tells of a file, or is lost: the keyring may have one of an earlier day.
  const answer = await askKeyring([{ do: 'delete', account }], PATIENT_MS, config, words)
  if (answer.is === 'away' && isInKeyring(notes, provider))
    throw new DevflowError('UNAVAILABLE', 'keyring_away', words.keys.notForgotten(provider, answer.why))
  notes.remove(provider)
  return wasNoted || (answer.is === 'done' && answer.results[0] === true)
}

/** What cannot be read is not there, and goes. */
function isInKeyring(notes: Notes, provider: KeyProvider): boolean {
  try {
    return notes.read(provider)?.in === 'keyring'
  } catch {
    return false
  }
}

function requireNotes(config: Config, words: Words): Notes {
  const notes = notesOf(config, words)
  if (notes === undefined) throw badUsage(words.keys.noHome, 'no_home')
  return notes
}

/** Notes of kept keys; undefined where the user has no home, and so has kept none. */
export function notesOf({ configHome }: Config, words: Words): Notes | undefined {
  const folder = configFolder({ XDG_CONFIG_HOME: configHome })
  return folder === undefined ? undefined : notesIn(folder, words)
}
