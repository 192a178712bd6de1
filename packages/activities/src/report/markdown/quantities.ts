import { Decimal } from 'decimal.js'

/** Cents of a dollar and more, four digits that count of less: `$1.20`, `$0.004813`. */
export function dollars(microUsd: number): string {
  const exact = new Decimal(microUsd).div(1e6)
  const [whole, part = ''] = (exact.gte(1) ? exact.toDecimalPlaces(2) : exact.toSignificantDigits(4))
    .toFixed()
    .split('.')
  return `$${whole}.${part.padEnd(2, '0')}`
}

const ENGLISH = new Intl.NumberFormat('en-US')

export const count = (amount: number): string => ENGLISH.format(amount)

/** `3 turns`, `1 turn`. */
export const counted = (amount: number, what: string): string =>
  `${count(amount)} ${what}${amount === 1 ? '' : 's'}`

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
] as const

/** `0.4 s`, `12 s`, `2 min 37 s`, `1 h 5 min`, `3 d 2 h`. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`
  const [unit, name] = UNITS.find(([unit]) => ms >= unit) ?? [1000, 's']
  const [next, rest] = name === 'd' ? [3_600_000, 'h'] : name === 'h' ? [60_000, 'min'] : [1000, 's']
  const whole = Math.floor(ms / unit)
  const part = Math.floor((ms % unit) / next)
  return name === 's' || part === 0 ? `${whole} ${name}` : `${whole} ${name} ${part} ${rest}`
}

/** `2026-11-21 08:05:03 UTC`. */
export const moment = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`

export function bytes(amount: number): string {
  if (amount < 1000) return counted(amount, 'byte')
  const [size, unit] = amount < 1e6 ? [amount / 1e3, 'kB'] : [amount / 1e6, 'MB']
  return `${size.toFixed(size < 10 ? 1 : 0)} ${unit}`
}
