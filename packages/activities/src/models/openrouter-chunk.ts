import { z } from 'zod'
import { microUsdOfSum, microUsdOfText, parseKeepingText } from './micro-usd.ts'
import type { ModelUsage } from './model.ts'

const count = z.int().nonnegative().nullish().catch(undefined)
/** Left as text by `parseKeepingText`. */
const usd = z.string().nullish().catch(undefined)

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

const Delta = z.object({
  content: z.string().nullish(),
  reasoning: z.string().nullish().catch(undefined),
  reasoning_content: z.string().nullish().catch(undefined),
  reasoning_details: z.array(z.unknown()).nullish().catch(undefined),
  tool_calls: z
    .array(
      z.object({
        index: z.number().nullish(),
        id: z.string().nullish(),
        function: z.object({ name: z.string().nullish(), arguments: z.unknown().optional() }).nullish(),
      }),
    )
    .nullish(),
})

/** What we read of a chunk; a whole, unstreamed answer has `message` where a chunk has `delta`. */
const Chunk = z.object({
  id: z.string().nullish().catch(undefined),
  model: z.string().nullish().catch(undefined),
  error: z.unknown().optional(),
  choices: z
    .array(
      z.object({
        delta: Delta.nullish(),
        message: Delta.nullish(),
        finish_reason: z.string().nullish(),
        error: z.unknown().optional(),
      }),
    )
    .nullish(),
  usage: Usage.nullish(),
})
export type Chunk = z.infer<typeof Chunk>

const COSTS = ['cost', 'upstream_inference_cost']

/** Parses a chunk's text. Throws a `SyntaxError` when it is no JSON or nothing like a chunk. */
export function parseChunk(text: string): Chunk {
  // Costs stand in the usage alone; everything else is parsed the plain way, which is faster.
  const value = text.includes('"usage"') ? parseKeepingText(text, COSTS) : JSON.parse(text)
  const chunk = Chunk.safeParse(value)
  if (!chunk.success) throw new SyntaxError(`not a chat chunk: ${z.prettifyError(chunk.error)}`)
  return chunk.data
}

/** The usage with what is not said left out. With the user's own key both OpenRouter's fee and the upstream's price are paid. */
export function usageOf(usage: NonNullable<Chunk['usage']>): ModelUsage {
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
    cacheWriteTokens: undefined,
    reasoningTokens: data.native_tokens_reasoning,
    costMicroUsd: cost,
  })
}

/** Drops the fields that are null or undefined. */
function known(usage: Record<keyof ModelUsage, number | null | undefined>): ModelUsage {
  return Object.fromEntries(
    Object.entries(usage).filter(([, value]) => value !== null && value !== undefined),
  ) as ModelUsage
}
