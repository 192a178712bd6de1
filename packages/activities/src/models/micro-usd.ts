import { type Exact, exactOf, plus, rounded, textOf, times, ZERO } from '@devflow/contracts'

const MILLION: Exact = { digits: 1_000_000n, scale: 0 }

/** More than anybody bills for a call, in USD: such a figure is a mistake, and would not go into a double exactly. */
const MOST_USD = 1_000_000_000

/**
 * Micro-dollars of an amount in USD given as the text of a JSON number, such as `4.51e-06` → 4.51. Exact up to six
 * decimals of a micro-dollar, half a unit of the last one rounded up. Undefined for what is no number, negative or
 * beyond all reason.
 */
export function microUsdOfText(usd: string | undefined): number | undefined {
  return microUsdOfSum(usd)
}

/** The sum of such texts, rounded once; undefined when one of them is no amount. */
export function microUsdOfSum(...amounts: (string | undefined)[]): number | undefined {
  let sum = ZERO
  for (const amount of amounts) {
    const exact = amount === undefined ? undefined : exactOf(amount)
    if (!exact) return undefined
    sum = plus(sum, exact)
  }
  const microUsd = Number(textOf(rounded(times(sum, MILLION), 6, 'half-up')))
  return microUsd <= MOST_USD * 1_000_000 ? microUsd : undefined
}

type SourceReviver = (key: string, value: unknown, context: { source?: string }) => unknown

/** TypeScript's library does not know yet that revivers see the source text. */
const parseWithSource = JSON.parse as (text: string, reviver: SourceReviver) => unknown

/** JSON with the numbers under the given keys left as the text they stand in: a double would not keep it exactly. */
export function parseKeepingText(text: string, keys: readonly string[]): unknown {
  return parseWithSource(text, (key, value, { source }) =>
    typeof value === 'number' && source !== undefined && keys.includes(key) ? source : value,
  )
}
