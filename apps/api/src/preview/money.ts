import { compare, type Exact, exactOf, plus, textOf, times, ZERO } from '@devflow/contracts'

// Money is added and multiplied as exact decimals, never as doubles.

const exact = (microUsd: number): Exact => exactOf(microUsd) ?? ZERO
const number = (value: Exact): number => Number(textOf(value))

export const sum = (...amounts: number[]): number => number(amounts.map(exact).reduce(plus, ZERO))

export const multiple = (amount: number, count: number): number =>
  number(times(exact(amount), { digits: BigInt(count), scale: 0 }))

export const isLess = (one: number, other: number): boolean => compare(exact(one), exact(other)) < 0
