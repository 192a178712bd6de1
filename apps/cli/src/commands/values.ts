import { InvalidArgumentError } from 'commander'
import type { Words } from '../messages/words.ts'

/** For an option that may be repeated: what `read` makes of each. */
export const collect =
  <Value>(read: (text: string) => Value) =>
  (text: string, before: Value[] = []): Value[] => [...before, read(text)]

export type Pair = [name: string, value: string]

/** `name=value`; the value may hold further `=`. */
export const pairIn =
  ({ failures }: Words) =>
  (text: string): Pair => {
    const at = text.indexOf('=')
    if (at < 1) throw new InvalidArgumentError(failures.notPairs)
    return [text.slice(0, at), text.slice(at + 1)]
  }

/** Dollars, as micro-dollars. */
export const dollarsIn =
  ({ failures }: Words) =>
  (text: string): number => {
    const match = /^\$?(\d{1,9})(?:\.(\d{1,12}))?$/.exec(text)
    if (!match) throw new InvalidArgumentError(failures.notDollars)
    // By digits: 0.1 times a million is not what a double makes of it.
    const [, whole = '', fraction = ''] = match
    const digits = fraction.padEnd(12, '0')
    return Number(`${whole}${digits.slice(0, 6)}.${digits.slice(6)}`)
  }

export const wholeIn =
  ({ failures }: Words, from: number, to: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < from || value > to) {
      throw new InvalidArgumentError(failures.wholeNumber(from, to))
    }
    return value
  }

/** Words between commas. */
export const wordsIn = (text: string): string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')

/** JSON where it is JSON, else the text itself: `n=3` is a number, `n="3"` and `n=three` are texts. */
export function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
