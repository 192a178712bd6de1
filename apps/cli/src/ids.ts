import { badUsage } from './refuse.ts'
import type { Screen } from './terminal/screen.ts'

const WHOLE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** The first eight digits say when it was made, to a minute: fewer are too many to look through. */
const BEGINNING = /^[0-9a-f]{8}[0-9a-f-]*$/i

/** The id up to the millisecond, which in a list is enough to tell them apart, nearly always. */
export const shortId = (id: string): string => id.slice(0, 13)

/** People get short ids, as long as they tell those of the list apart; pipes get whole ones. */
export function listedIds(ids: readonly string[], { isTerminal }: Screen): readonly string[] {
  const short = ids.map(shortId)
  return isTerminal && new Set(short).size === ids.length ? short : ids
}

interface Search {
  /** Those that may be meant, at least. */
  among(beginning: string): AsyncIterable<{ id: string }>
  none(): Error
  /** What is said, and with which code, where it is the beginning of several. */
  several: { code: string; say(text: string, ids: string): string }
}

/** The id that is meant, by itself or by the beginning of it. */
export async function findId(text: string, { among, none, several }: Search): Promise<string> {
  if (WHOLE.test(text)) return text.toLowerCase()
  if (!BEGINNING.test(text)) throw none()
  const beginning = text.toLowerCase()
  const ids: string[] = []
  for await (const { id } of among(beginning)) if (id.startsWith(beginning)) ids.push(id)
  if (ids.length > 1) {
    const told = ids.slice(0, 5).join(', ') + (ids.length > 5 ? ', …' : '')
    throw badUsage(several.say(text, told), several.code)
  }
  if (ids[0] === undefined) throw none()
  return ids[0]
}
