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
