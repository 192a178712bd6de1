import { z } from 'zod'
import { microUsdOfSum, microUsdOfText, parseKeepingText } from './micro-usd.ts'
import type { ModelUsage } from './model.ts'
import { count, known } from './usage-fields.ts'

/** Left as text by `parseKeepingText`. */
const usd = z.string().nullish().catch(undefined)

/** The costs in a chunk's usage, to be read digit for digit. */
export const CHUNK_COSTS = ['cost', 'upstream_inference_cost']

const Usage = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  cost: usd,
  is_byok: z.boolean().nullish().catch(undefined),
  prompt_tokens_details: z
    .object({ cached_tokens: count, cache_write_tokens: count })
    .nullish()
    .catch(undefined),
  completion_tokens_details: z.object({ reasoning_tokens: count }).nullish().catch(undefined),
  cost_details: z.object({ upstream_inference_cost: usd }).nullish().catch(undefined),
})

/** The usage with what is not said left out. With the user's own key both OpenRouter's fee and the upstream's price are paid. */
export function openRouterUsage(value: unknown): ModelUsage {
  const parsed = Usage.safeParse(value)
  if (!parsed.success) return {}
  const usage = parsed.data
  const upstream = usage.cost_details?.upstream_inference_cost
  const cost =
    usage.is_byok === true && upstream
      ? microUsdOfSum(usage.cost ?? undefined, upstream)
      : microUsdOfText(usage.cost ?? undefined)
  return known({
    inputTokens: usage.prompt_tokens,
    outputTokens: usage.completion_tokens,
    cachedTokens: usage.prompt_tokens_details?.cached_tokens,
    cacheWriteTokens: usage.prompt_tokens_details?.cache_write_tokens,
    reasoningTokens: usage.completion_tokens_details?.reasoning_tokens,
    costMicroUsd: cost,
  })
}

const Generation = z.object({
  data: z.object({
    native_tokens_prompt: count,
    native_tokens_completion: count,
    native_tokens_cached: count,
    native_tokens_reasoning: count,
    tokens_prompt: count,
    tokens_completion: count,
    total_cost: usd,
    upstream_inference_cost: usd,
    is_byok: z.boolean().nullish().catch(undefined),
  }),
})

/** Reads the answer of `GET /generation`; throws a `SyntaxError` when it is none. */
export function parseGeneration(text: string): ModelUsage {
  const parsed = Generation.safeParse(parseKeepingText(text, ['total_cost', 'upstream_inference_cost']))
  if (!parsed.success) throw new SyntaxError(`not a generation: ${z.prettifyError(parsed.error)}`)
  const { data } = parsed.data
  const cost =
    data.is_byok === true && data.upstream_inference_cost
      ? microUsdOfSum(data.total_cost ?? undefined, data.upstream_inference_cost)
      : microUsdOfText(data.total_cost ?? undefined)
  return known({
    inputTokens: data.native_tokens_prompt ?? data.tokens_prompt,
    outputTokens: data.native_tokens_completion ?? data.tokens_completion,
    cachedTokens: data.native_tokens_cached,
    reasoningTokens: data.native_tokens_reasoning,
    costMicroUsd: cost,
  })
}
