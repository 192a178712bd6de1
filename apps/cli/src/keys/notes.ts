import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DevflowError } from '@devflow/contracts'
import { z } from 'zod'
import type { Words } from '../messages/words.ts'
import type { KeyProvider } from './providers.ts'

/**
 * What is noted of a kept key: that the keyring has it, or where there is none the key itself. So who asks what is kept
 * need not ask the keyring, which may want a person to unlock it.
 */
const Note = z.discriminatedUnion('in', [
  z.object({ in: z.literal('keyring') }),
  z.object({ in: z.literal('file'), key: z.string().min(1) }),
])
export type Note = z.infer<typeof Note>

/** The notes of a user. One file for each provider: none is read to write another, so nothing is lost between the two. */
export interface Notes {
  readonly file: (provider: KeyProvider) => string
  /** Throws UNAVAILABLE `keys_unreadable`. */
  read(provider: KeyProvider): Note | undefined
  /** Whole or not at all, for its owner's eyes alone. Throws UNAVAILABLE `keys_unwritable`. */
  write(provider: KeyProvider, note: Note): void
  /** Throws UNAVAILABLE `keys_unwritable`. */
  remove(provider: KeyProvider): void
}

/** `folder`: that of what the user has set up. */
export function notesIn(folder: string, { keys: words }: Words): Notes {
  const place = join(folder, 'keys')
  const file = (provider: KeyProvider) => join(place, `${provider}.json`)
  const writing = (work: () => void) => {
    try {
      work()
    } catch (error) {
      throw new DevflowError('UNAVAILABLE', 'keys_unwritable', words.unwritable(place, reasonOf(error)))
    }
  }
  const read = (provider: KeyProvider): Note | undefined => {
    const text = textOf(file(provider), words)
    if (text === undefined) return undefined
    const note = Note.safeParse(jsonIn(text))
    if (note.success) return note.data
    throw new DevflowError('UNAVAILABLE', 'keys_unreadable', words.notOurs(file(provider)))
  }
  return {
    file,
    read,
    write: (provider, note) =>
      writing(() => {
        mkdirSync(place, { recursive: true, mode: 0o700 })
        // It may have been there, open to others.
        chmodSync(place, 0o700)
        const fresh = `${file(provider)}.${randomUUID()}`
        try {
          writeFileSync(fresh, `${JSON.stringify(note)}\n`, { mode: 0o600, flag: 'wx', flush: true })
          renameSync(fresh, file(provider))
        } finally {
          rmSync(fresh, { force: true })
        }
      }),
    remove: (provider) => writing(() => rmSync(file(provider), { force: true })),
  }
}

function textOf(file: string, words: Words['keys']): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(reasonOf(error))) return undefined
    throw new DevflowError('UNAVAILABLE', 'keys_unreadable', words.unreadable(file, reasonOf(error)))
  }
}

/** The parser's own words would quote what may be a key. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error)
