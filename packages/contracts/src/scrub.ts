import { mapStrings } from './text.ts'

/** Replaces every configured secret's exact value (I8), before text is used, sent on or stored. */
export type Scrub = <T>(value: T) => T

/** Shorter values would blot out ordinary text. */
const SHORTEST_SECRET = 6

/** Builds a scrubber for the given secret values. Longer ones go first, so that a secret holding another is replaced whole. */
export function scrubber(secrets: readonly (string | undefined)[]): Scrub {
  const values = [...new Set(secrets)]
    .filter((secret): secret is string => secret !== undefined && secret.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length)
  if (values.length === 0) return (value) => value
  const pattern = new RegExp(values.map((value) => RegExp.escape(value)).join('|'), 'g')
  return <T>(value: T) => mapStrings(value, (text) => text.replace(pattern, '[secret]')) as T
}

/**
 * Scrubs text that comes in pieces: a secret cut by a piece's end is still found. What may be the beginning of one
 * is held back until the next piece, or `rest`, shows. `scrub` is the scrubber of the same secrets: calls share one.
 */
export class StreamScrub {
  readonly #scrub: Scrub
  readonly #secrets: readonly string[]
  #held = ''

  constructor(scrub: Scrub, secrets: readonly string[]) {
    this.#scrub = scrub
    this.#secrets = secrets
  }

  push(piece: string): string {
    if (this.#secrets.length === 0) return piece
    const text = this.#scrub(this.#held + piece)
    const last = text.at(-1)
    let keep = 0
    for (const secret of this.#secrets) {
      if (secret.length < SHORTEST_SECRET) continue
      for (let length = Math.min(secret.length - 1, text.length); length > keep; length -= 1) {
        if (secret[length - 1] === last && text.endsWith(secret.slice(0, length))) keep = length
      }
    }
    this.#held = keep === 0 ? '' : text.slice(-keep)
    return keep === 0 ? text : text.slice(0, -keep)
  }

  rest(): string {
    const rest = this.#held
    this.#held = ''
    return rest
  }
}
