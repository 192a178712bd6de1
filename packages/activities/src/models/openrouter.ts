import type { Model, ModelPrice } from '@devflow/contracts'
import type * as Sdk from 'openai'
import { ChatReply } from './chat-reply.ts'
import type { ModelAdapter, ModelError, ModelRequest, ModelUsage } from './model.ts'
import { openRouterPrice } from './model-prices.ts'
import { answerOf, openAiClient, openAiPackage, packageFailure, sentBy } from './openai-package.ts'
import { readOpenRouterError } from './openrouter-errors.ts'
import { KeyLimit } from './openrouter-key.ts'
import { openRouterBody } from './openrouter-request.ts'
import { CHUNK_COSTS, openRouterUsage, parseGeneration } from './openrouter-usage.ts'
import { modelWithoutKey } from './provider-failure.ts'
import { streamed } from './streamed-call.ts'

export interface OpenRouterOptions {
  apiKey: string | undefined
  /** Default `https://openrouter.ai/api/v1`. */
  baseURL?: string | undefined
  /** How long a reply may go without a data frame, its first included; keep-alive comments do not count. Default 120 s. */
  progressTimeoutMs?: number | undefined
  /** How long one look at `/generation` may take. Default 10 s. */
  lookupTimeoutMs?: number
}

const DIALECT = { exact: CHUNK_COSTS, usageOf: openRouterUsage }

/** OpenRouter: chat completions whose usage tells the cost, with an id in the head by which it can be asked for later. */
export function openRouterModel(options: OpenRouterOptions): ModelAdapter {
  const { apiKey = '', progressTimeoutMs = 120_000, lookupTimeoutMs = 10_000 } = options
  if (!apiKey) return modelWithoutKey('OPENROUTER_API_KEY')
  const client = openAiClient({
    apiKey,
    baseURL: options.baseURL ?? 'https://openrouter.ai/api/v1',
    progressTimeoutMs,
    headers: { 'X-OpenRouter-Title': 'Devflow' },
  })
  const keyLimit = new KeyLimit(async (signal) => await (await client()).get('/key', { signal }))
  function errorOf(failure: unknown, at: { sdk: typeof Sdk; streaming: boolean }): ModelError {
    const error = packageFailure(failure, readOpenRouterError, { ...at, secret: apiKey })
    if (error.code === 'provider_key_limit') keyLimit.usedUp()
    return error
  }

  async function* stream(request: ModelRequest, signal: AbortSignal) {
    signal.throwIfAborted()
    const sdk = await openAiPackage()
    let reply = new ChatReply(request, DIALECT)
    yield* streamed<Headers | string>(
      {
        open: async (any, wire) => {
          await keyLimit.check(any)
          const body = openRouterBody(request)
          const { completions } = (await client()).chat
          return answerOf(await completions.create(body, sentBy(wire, any)).asResponse())
        },
        take: (item) => {
          if (typeof item === 'string') return reply.take(item)
          const id = item.get('x-generation-id')
          if (!id) return []
          reply = new ChatReply(request, DIALECT, true)
          return [{ kind: 'generation', id }]
        },
        terminated: () => reply.terminated,
        end: () => reply.end(),
        errorOf: (failure, streaming) => errorOf(failure, { sdk, streaming }),
      },
      request,
      signal,
      progressTimeoutMs,
    )
  }

  async function lookup(generationId: string, signal: AbortSignal): Promise<ModelUsage | undefined> {
    signal.throwIfAborted()
    const sdk = await openAiPackage()
    try {
      const response = await (await client())
        .get('/generation', {
          query: { id: generationId },
          signal: AbortSignal.any([signal, AbortSignal.timeout(lookupTimeoutMs)]),
        })
        .asResponse()
      return parseGeneration(await response.text())
    } catch (failure) {
      if (signal.aborted) throw signal.reason
      if (failure instanceof sdk.NotFoundError) return undefined
      throw errorOf(failure, { sdk, streaming: false })
    }
  }

  const price = (model: Model): ModelPrice | undefined => openRouterPrice(model)
  return { stream, price, lookup }
}
