import { z } from 'zod'
import { chatBody } from './chat-messages.ts'
import { ChatReply } from './chat-reply.ts'
import type { ModelAdapter, ModelRequest, ModelUsage } from './model.ts'
import { readOpenAiError } from './openai/errors.ts'
import { answerOf, openAiClient, openAiPackage, packageFailure, sentBy } from './openai-package.ts'
import { modelError, verdict } from './provider-failure.ts'
import { streamed } from './streamed-call.ts'
import { count, known } from './usage-fields.ts'

/** A server that speaks as OpenAI's chat completions do. Its key, if it wants one, is known to the operator alone. */
export interface Endpoint {
  baseURL: string
  apiKey?: string | undefined
}

export interface OpenAiCompatibleOptions {
  /** By the name a persona gives as `model.endpoint`; `default` for those that name none. */
  endpoints: Readonly<Record<string, Endpoint>>
  /** How long a reply may go without a data frame, its first included. Default 120 s. */
  progressTimeoutMs?: number | undefined
}

export const DEFAULT_ENDPOINT = 'default'

/** Any server of chat completions: vLLM, llama.cpp, LM Studio, DeepSeek and many more. Settled by the price list. */
export function openAiCompatibleModel({
  endpoints,
  progressTimeoutMs = 120_000,
}: OpenAiCompatibleOptions): ModelAdapter {
  const clients = new Map(
    Object.entries(endpoints).map(([name, { baseURL, apiKey }]) => [
      name,
      {
        secret: apiKey ?? '',
        client: openAiClient({
          // The package wants one; without a key the header it makes of it is left out.
          apiKey: apiKey ?? 'none',
          baseURL,
          progressTimeoutMs,
          ...(apiKey ? {} : { headers: { authorization: null } }),
        }),
      },
    ]),
  )

  async function* stream(request: ModelRequest, signal: AbortSignal) {
    signal.throwIfAborted()
    const sdk = await openAiPackage()
    const reply = new ChatReply(request, DIALECT)
    const endpoint = clients.get(request.model.endpoint ?? DEFAULT_ENDPOINT)
    yield* streamed<string>(
      {
        open: async (any, wire) => {
          if (!endpoint) throw unknownEndpoint(request.model.endpoint)
          const { completions } = (await endpoint.client()).chat
          return textsOf(await completions.create(chatBody(request), sentBy(wire, any)).asResponse())
        },
        take: (data) => reply.take(data),
        terminated: () => reply.terminated,
        end: () => reply.end(),
        errorOf: (failure, streaming) =>
          packageFailure(failure, readOpenAiError, { sdk, streaming, secret: endpoint?.secret ?? '' }),
      },
      request,
      signal,
      progressTimeoutMs,
    )
  }
  return { stream, price: (model) => model.pricing }
}

function unknownEndpoint(name: string | undefined) {
  const variable = `OPENAI_COMPATIBLE_${name === undefined ? '' : `${name.toUpperCase().replaceAll('-', '_')}_`}BASE_URL`
  return modelError(
    verdict('INVALID', 'provider_endpoint_unknown'),
    `This worker knows no server for ${name === undefined ? 'openai-compatible' : `the endpoint ${name}`}: set ${variable} and start it anew.`,
    { billed: 'no' },
  )
}

async function* textsOf(response: Response): AsyncGenerator<string> {
  for await (const item of answerOf(response)) if (typeof item === 'string') yield item
}

const Usage = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  /** DeepSeek's name for what was cached. */
  prompt_cache_hit_tokens: count,
  prompt_tokens_details: z.object({ cached_tokens: count }).nullish().catch(undefined),
  completion_tokens_details: z.object({ reasoning_tokens: count }).nullish().catch(undefined),
})

const DIALECT = {
  exact: [],
  usageOf: (value: unknown): ModelUsage => {
    const parsed = Usage.safeParse(value)
    if (!parsed.success) return {}
    const { data } = parsed
    return known({
      inputTokens: data.prompt_tokens,
      outputTokens: data.completion_tokens,
      cachedTokens: data.prompt_tokens_details?.cached_tokens ?? data.prompt_cache_hit_tokens,
      reasoningTokens: data.completion_tokens_details?.reasoning_tokens,
    })
  },
}
