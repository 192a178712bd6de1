/** An exact decimal, `digits` × 10^-`scale`: what money is reckoned in. */
export interface Exact {
  readonly digits: bigint
  readonly scale: number
}

export const ZERO: Exact = { digits: 0n, scale: 0 }

/** Digits before the point, and after it. */
const MOST_DIGITS = 60
const NUMBER = /^(\d{1,60})(?:\.(\d{1,60}))?(?:[eE]([+-]?\d{1,2}))?$/

/**
 * The value of a JSON number's text, such as `4.51e-06`, or of a number as JSON writes it. Undefined for what is
 * negative, no number, or longer than money ever is: such text comes from outside, and powers of ten cost memory.
 */
export function exactOf(value: string | number): Exact | undefined {
  const parts = NUMBER.exec(String(value))
  if (!parts) return undefined
  const [, whole = '', decimals = '', exponent = '0'] = parts
  const digits = BigInt(whole + decimals)
  const scale = decimals.length - Number(exponent)
  if (scale > MOST_DIGITS || digits.toString().length - scale > MOST_DIGITS) return undefined
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 }
}

export function plus(a: Exact, b: Exact): Exact {
  const scale = Math.max(a.scale, b.scale)
  return { digits: digitsAt(a, scale) + digitsAt(b, scale), scale }
}

export function times(a: Exact, b: Exact): Exact {
  return { digits: a.digits * b.digits, scale: a.scale + b.scale }
}

export function compare(a: Exact, b: Exact): number {
  const scale = Math.max(a.scale, b.scale)
  const difference = digitsAt(a, scale) - digitsAt(b, scale)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

export function isMultiple(value: Exact, of: Exact): boolean {
  const scale = Math.max(value.scale, of.scale)
  return digitsAt(value, scale) % digitsAt(of, scale) === 0n
}

/** With at most so many decimals; what is cut off is rounded up, or half a unit of the last one up. */
export function rounded(value: Exact, decimals: number, how: 'up' | 'half-up'): Exact {
  if (value.scale <= decimals) return value
  const unit = 10n ** BigInt(value.scale - decimals)
  const added = how === 'up' ? unit - 1n : unit / 2n
  return { digits: (value.digits + added) / unit, scale: decimals }
}

/** Plain decimal text, without an exponent or trailing zeros. */
export function textOf({ digits, scale }: Exact): string {
  const text = digits.toString().padStart(scale + 1, '0')
  const decimals = scale === 0 ? '' : text.slice(-scale).replace(/0+$/, '')
  const whole = scale === 0 ? text : text.slice(0, -scale)
  return decimals === '' ? whole : `${whole}.${decimals}`
}

function digitsAt(value: Exact, scale: number): bigint {
  return value.digits * 10n ** BigInt(scale - value.scale)
}
