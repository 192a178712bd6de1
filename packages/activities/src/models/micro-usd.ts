import { Decimal } from 'decimal.js'

/**
 * Micro-dollars of an amount in USD given as the text of a JSON number, such as `4.51e-06` → 4.51. Exact up to six
 * decimals of a micro-dollar, half a unit of the last one rounded up. Undefined for what is no number or negative.
 */
export function microUsdOfText(usd: string | undefined): number | undefined {
  if (usd === undefined || !/^\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(usd)) return undefined
  return new Decimal(usd).times(1_000_000).toDecimalPlaces(6, Decimal.ROUND_HALF_UP).toNumber()
}

/** The sum of such texts; undefined when one of them is no amount. */
export function microUsdOfSum(...amounts: (string | undefined)[]): number | undefined {
  const parts = amounts.map(microUsdOfText)
  let sum = new Decimal(0)
  for (const part of parts) {
    if (part === undefined) return undefined
    sum = sum.plus(part)
  }
  return sum.toNumber()
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
