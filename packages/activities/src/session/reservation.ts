import type { Model } from '@devflow/contracts'
import { Decimal } from 'decimal.js'
import { growingSum } from '../growing-sum.ts'
import type { Message, ModelAdapter, ToolSpec } from '../models/model.ts'

/** Few tokenizers make more than one token of three characters of prose or code. */
const CHARACTERS_PER_TOKEN = 3

/** What a call may produce when its persona does not say. */
const DEFAULT_OUTPUT_TOKENS = 4_096

const charactersIn = growingSum((part: object) => JSON.stringify(part).length + 1)

/** What a call may cost at most: reserved before it is sent (I5). `microUsd` is undefined when the price is unknown. */
export function reservationFor(
  adapter: ModelAdapter,
  model: Model,
  messages: Message[],
  tools: ToolSpec[],
): { tokens: number; maxOutputTokens: number; microUsd: number | undefined } {
  const characters = charactersIn(messages) + charactersIn(tools)
  const input = Math.ceil(characters / CHARACTERS_PER_TOKEN)
  const output = model.maxOutputTokens ?? DEFAULT_OUTPUT_TOKENS
  const price = adapter.price(model)
  const microUsd =
    price &&
    new Decimal(price.input)
      .times(input)
      .plus(new Decimal(price.output).times(output))
      .toDecimalPlaces(6, Decimal.ROUND_UP)
      .toNumber()
  return { tokens: input + output, maxOutputTokens: output, microUsd }
}

/** A call's cost by the price list, for providers that do not bill in the stream; in micro-dollars, six decimals. */
export function costByPrice(
  adapter: ModelAdapter,
  model: Model,
  inputTokens: number,
  outputTokens: number,
): number | undefined {
  const price = adapter.price(model)
  return (
    price &&
    new Decimal(price.input)
      .times(inputTokens)
      .plus(new Decimal(price.output).times(outputTokens))
      .toDecimalPlaces(6)
      .toNumber()
  )
}
