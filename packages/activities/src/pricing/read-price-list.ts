import { compare, exactOf, type ModelPrice, type PerToken, ZERO } from '@devflow/contracts'
import { listElements } from './list-elements.ts'
import { type Flaw, type Listed, readEntry } from './openrouter-entry.ts'

/** Bounds on a list from outside: it may be long, slow or endless, and must cost us little. */
export const LIST_BOUNDS = {
  entries: 50_000,
  charactersOfEntry: 256 * 1024,
  bytes: 256 * 1024 * 1024,
}

const MOST_TIERS = 16

/** Why an entry of a list was left out, or that the rest of it was. */
export type LeftOut = Partial<Record<Flaw | 'named_twice' | 'beyond_the_bound', number>>

export interface PriceList {
  prices: Listed[]
  /** Entries without use, by why. `named_twice`: the dearer price was taken. */
  leftOut: LeftOut
}

/** Reads a price list in OpenRouter's form as it streams in. Throws a `SyntaxError` where there is none, or only half of it. */
export async function readPriceList(
  body: AsyncIterable<Uint8Array>,
  bounds: typeof LIST_BOUNDS = LIST_BOUNDS,
): Promise<PriceList> {
  const prices = new Map<string, Listed>()
  const leftOut: LeftOut = {}
  const leave = (why: keyof LeftOut) => {
    leftOut[why] = (leftOut[why] ?? 0) + 1
  }
  let entries = 0
  for await (const element of listElements(within(body, bounds.bytes), bounds.charactersOfEntry)) {
    entries += 1
    if (entries > bounds.entries) {
      leave('beyond_the_bound')
      break
    }
    const entry = element === undefined ? { flaw: 'too_long' as const } : readEntry(element)
    if ('flaw' in entry) {
      leave(entry.flaw)
      continue
    }
    const before = prices.get(entry.model)
    if (before) leave('named_twice')
    prices.set(entry.model, before ? lessFavourable(before, entry) : entry)
  }
  return { prices: [...prices.values()], leftOut }
}

async function* within(body: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const piece of body) {
    bytes += piece.length
    if (bytes > most) throw new SyntaxError(`the list is longer than ${most} bytes`)
    yield piece
  }
}

/** Of two entries of one model what holds whichever is right. */
function lessFavourable(a: Listed, b: Listed): Listed {
  const windows = [a.contextWindow, b.contextWindow].filter((one) => one !== undefined)
  const price = dearer(a.price, b.price)
  return { model: a.model, price, ...(windows.length === 0 ? {} : { contextWindow: Math.min(...windows) }) }
}

/** Of two prices of one model the dearer of each kind: a reservation must not fall short. */
function dearer(a: ModelPrice, b: ModelPrice): ModelPrice {
  const most = (x: PerToken, y: PerToken) => (compare(exactOf(x) ?? ZERO, exactOf(y) ?? ZERO) < 0 ? y : x)
  const price: ModelPrice = { input: most(a.input, b.input), output: most(a.output, b.output) }
  for (const kind of ['cacheWrite', 'reasoning', 'request'] as const) {
    const [x, y] = [a[kind] ?? b[kind], b[kind] ?? a[kind]]
    if (x !== undefined && y !== undefined) price[kind] = most(x, y)
  }
  const tiers = [...(a.tiers ?? []), ...(b.tiers ?? [])]
  if (a.cacheRead !== undefined && b.cacheRead !== undefined) price.cacheRead = most(a.cacheRead, b.cacheRead)
  return tiers.length === 0 ? price : { ...price, tiers: tiers.slice(0, MOST_TIERS) }
}
