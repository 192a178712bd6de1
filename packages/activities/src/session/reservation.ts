import { type Model, type ModelPrice, mostItCosts } from '@devflow/contracts'
import type { Overrun } from '@devflow/db'
import { Decimal } from 'decimal.js'
import type { Message, ToolSpec } from '../models/model.ts'
import { charactersIn } from './characters.ts'

/** Few tokenizers make more than one token of three characters of prose or code. */
const CHARACTERS_PER_TOKEN = 3

/** What a call may produce when its persona does not say. */
const DEFAULT_OUTPUT_TOKENS = 4_096

/** An answer of fewer tokens is rarely of use; a persona that asks for less wants less. */
const LEAST_OUTPUT_TOKENS = 256

/** What a call may take at most: reserved before it is sent (I5). */
export interface Reservation {
  tokens: number
  inputTokens: number
  maxOutputTokens: number
  /** By the dearest of the models that may answer; undefined when the price of one is not known. */
  microUsd: number | undefined
  prices: readonly (ModelPrice | undefined)[]
  leastOutputTokens: number
}

/** The reservation of a call with all the output its persona asks for. */
export function reservationFor(
  prices: readonly (ModelPrice | undefined)[],
  model: Model,
  messages: Message[],
  tools: ToolSpec[],
): Reservation {
  const characters = charactersIn(messages) + charactersIn(tools)
  const inputTokens = Math.ceil(characters / CHARACTERS_PER_TOKEN)
  const output = model.maxOutputTokens ?? DEFAULT_OUTPUT_TOKENS
  return reservationOf(inputTokens, output, prices, Math.min(LEAST_OUTPUT_TOKENS, output))
}

/** The reservation cut down to what a budget still pays; undefined when that is no useful answer any more. */
export function lowered(
  asked: Reservation,
  { exceeded, leftMicroUsd, leftTokens }: Pick<Overrun, 'exceeded' | 'leftMicroUsd' | 'leftTokens'>,
): Reservation | undefined {
  if (exceeded.includes('unpriced')) return undefined
  const { inputTokens, prices, leastOutputTokens } = asked
  const fits = (output: number): boolean => {
    const { tokens, microUsd } = reservationOf(inputTokens, output, prices, leastOutputTokens)
    return (
      (leftTokens === undefined || tokens <= leftTokens) &&
      (leftMicroUsd === undefined || microUsd === undefined || microUsd <= leftMicroUsd)
    )
  }
  if (!fits(leastOutputTokens)) return undefined
  // The most that fits: more output never costs less.
  let [low, high] = [leastOutputTokens, asked.maxOutputTokens]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (fits(middle)) low = middle
    else high = middle
  }
  return low < asked.maxOutputTokens ? reservationOf(inputTokens, low, prices, leastOutputTokens) : undefined
}

function reservationOf(
  inputTokens: number,
  maxOutputTokens: number,
  prices: readonly (ModelPrice | undefined)[],
  leastOutputTokens: number,
): Reservation {
  const costs = prices.map((price) => price && mostItCosts(price, inputTokens, maxOutputTokens))
  const known = costs.filter((cost) => cost !== undefined)
  return {
    tokens: inputTokens + maxOutputTokens,
    inputTokens,
    maxOutputTokens,
    microUsd: known.length === costs.length ? Decimal.max(...known).toNumber() : undefined,
    prices,
    leastOutputTokens,
  }
}
