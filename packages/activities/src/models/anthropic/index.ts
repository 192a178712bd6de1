import type Anthropic from '@anthropic-ai/sdk'
import type { RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages'
import type { ModelAdapter, ModelRequest } from '../model.ts'
import { once } from '../once.ts'
import { modelWithoutKey } from '../provider-failure.ts'
import { streamed } from '../streamed-call.ts'
import { anthropicError } from './errors.ts'
import { AnthropicReply } from './reply.ts'
import { anthropicBody, anthropicHeaders } from './request.ts'

export interface AnthropicOptions {
  apiKey: string | undefined
  /** Default `https://api.anthropic.com`. */
  baseURL?: string | undefined
  /** How long a reply may go without an event, its first included; pings do not count. Default 120 s. */
  progressTimeoutMs?: number | undefined
}

/** Claude through Anthropic's own package, which is loaded with the first call. */
export function anthropicModel(options: AnthropicOptions): ModelAdapter {
  const { apiKey, baseURL = 'https://api.anthropic.com', progressTimeoutMs = 120_000 } = options
  if (!apiKey) return modelWithoutKey('ANTHROPIC_API_KEY')
  const sdk = once(() => import('@anthropic-ai/sdk'))
  const client = once(
    async (): Promise<Anthropic> =>
      new (await sdk()).default({
        apiKey,
        baseURL,
        // Named, so that nothing is read from the environment or from files of other tools.
        authToken: null,
        webhookKey: null,
        openTelemetry: false,
        maxRetries: 0,
        // The progress timer is the one that counts; this only must not come before it.
        timeout: progressTimeoutMs + 60_000,
        logLevel: 'off',
      }),
  )

  async function* stream(request: ModelRequest, signal: AbortSignal) {
    signal.throwIfAborted()
    const loaded = await sdk()
    const reply = new AnthropicReply(request)
    yield* streamed<RawMessageStreamEvent>(
      {
        open: async (ended, wire) =>
          (await client()).messages.create(anthropicBody(request), {
            signal: ended,
            fetchOptions: { dispatcher: wire.dispatcher },
            headers: anthropicHeaders(request),
          }),
        take: (event) => reply.take(event),
        terminated: () => reply.stopped,
        end: () => reply.end(),
        errorOf: (failure, streaming) => anthropicError(failure, { sdk: loaded, streaming, secret: apiKey }),
      },
      request,
      signal,
      progressTimeoutMs,
    )
  }

  return { stream, price: (model) => model.pricing }
}
