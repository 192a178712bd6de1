import { type Model, type ModelPrice, mostItCosts } from '@devflow/contracts'
import { growingSum } from '../growing-sum.ts'
import type { Message, ToolSpec } from '../models/model.ts'

/** Few tokenizers make more than one token of three characters of prose or code. */
const CHARACTERS_PER_TOKEN = 3

/** What a call may produce when its persona does not say. */
const DEFAULT_OUTPUT_TOKENS = 4_096

const charactersIn = growingSum((part: object) => JSON.stringify(part).length + 1)

/** What a call may cost at most: reserved before it is sent (I5). `microUsd` is undefined when the price is unknown. */
export function reservationFor(
  price: ModelPrice | undefined,
  model: Model,
  messages: Message[],
  tools: ToolSpec[],
): { tokens: number; maxOutputTokens: number; microUsd: number | undefined } {
  const characters = charactersIn(messages) + charactersIn(tools)
  const input = Math.ceil(characters / CHARACTERS_PER_TOKEN)
  const output = model.maxOutputTokens ?? DEFAULT_OUTPUT_TOKENS
  const microUsd = price && mostItCosts(price, input, output)
  return { tokens: input + output, maxOutputTokens: output, microUsd }
}
