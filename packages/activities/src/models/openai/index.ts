import type { ModelAdapter, ModelRequest } from '../model.ts'
import { answerOf, openAiClient, openAiPackage, packageFailure, sentBy } from '../openai-package.ts'
import { modelWithoutKey } from '../provider-failure.ts'
import { streamed } from '../streamed-call.ts'
import { readOpenAiError } from './errors.ts'
import { isKeepAlive } from './events.ts'
import { ResponsesReply } from './reply.ts'
import { responsesBody, type Summary } from './request.ts'

export interface OpenAiOptions {
  apiKey: string | undefined
  /** Default `https://api.openai.com/v1`. */
  baseURL?: string | undefined
  /** How long a response may go without an event that says something. Default 120 s. */
  progressTimeoutMs?: number | undefined
  /** Whether models tell a summary of their reasoning; some accounts may not ask for it. Default: not asked. */
  reasoningSummary?: Summary | undefined
}

/** OpenAI's Responses API. It tells tokens, not money: calls are settled by the price list. */
export function openAiModel(options: OpenAiOptions): ModelAdapter {
  const { apiKey = '', baseURL = 'https://api.openai.com/v1', progressTimeoutMs = 120_000 } = options
  if (!apiKey) return modelWithoutKey('OPENAI_API_KEY')
  const client = openAiClient({ apiKey, baseURL, progressTimeoutMs })

  async function* stream(request: ModelRequest, signal: AbortSignal) {
    signal.throwIfAborted()
    const sdk = await openAiPackage()
    const reply = new ResponsesReply(request)
    yield* streamed<string>(
      {
        open: async (any, wire) => {
          const body = responsesBody(request, options.reasoningSummary)
          const { responses } = await client()
          return eventsOf(await responses.create(body, sentBy(wire, any)).asResponse())
        },
        take: (data) => reply.take(data),
        terminated: () => reply.terminated,
        end: () => reply.end(),
        errorOf: (failure, streaming) =>
          packageFailure(failure, readOpenAiError, { sdk, streaming, secret: apiKey }),
      },
      request,
      signal,
      progressTimeoutMs,
    )
  }
  return { stream, price: (model) => model.pricing }
}

async function* eventsOf(response: Response): AsyncGenerator<string> {
  for await (const item of answerOf(response)) if (typeof item === 'string' && !isKeepAlive(item)) yield item
}
