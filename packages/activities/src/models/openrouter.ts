import type { Model, ModelPrice } from '@devflow/contracts'
import OpenAI, { NotFoundError } from 'openai'
import type { ModelAdapter, ModelEvent, ModelRequest, ModelUsage } from './model.ts'
import { openRouterPrice } from './model-prices.ts'
import { parseChunk, parseGeneration } from './openrouter-chunk.ts'
import { modelErrorOf } from './openrouter-errors.ts'
import { ReplyInProgress } from './openrouter-reply.ts'
import { openRouterBody } from './openrouter-request.ts'
import { ProgressTimer } from './progress-timer.ts'
import { modelWithoutKey, stalledReply } from './provider-failure.ts'
import { sseFrames } from './sse-frames.ts'

export interface OpenRouterOptions {
  apiKey: string | undefined
  /** Default `https://openrouter.ai/api/v1`. */
  baseURL?: string
  /** How long a reply may go without a data frame, its first included; keep-alive comments do not count. Default 120 s. */
  progressTimeoutMs?: number
  /** How long one look at `/generation` may take. Default 10 s. */
  lookupTimeoutMs?: number
}

/** After `[DONE]` the connection may go back to the pool, if the server ends the body this soon. */
const LINGER_MS = 1000

/**
 * OpenRouter through the `openai` package, which makes the request; the body is read here, because the package's own
 * stream takes a body that breaks off for a complete one and loses the digits of the cost.
 */
export function openRouterModel(options: OpenRouterOptions): ModelAdapter {
  const { apiKey, progressTimeoutMs = 120_000, lookupTimeoutMs = 10_000 } = options
  if (!apiKey) return modelWithoutKey('OPENROUTER_API_KEY')
  const client = new OpenAI({
    apiKey,
    baseURL: options.baseURL ?? 'https://openrouter.ai/api/v1',
    maxRetries: 0,
    // The progress timer is the one that counts; this only must not come before it.
    timeout: progressTimeoutMs + 60_000,
    logLevel: 'off',
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    defaultHeaders: { 'X-OpenRouter-Title': 'Devflow' },
  })

  async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    signal.throwIfAborted()
    const progress = new ProgressTimer(progressTimeoutMs, () => stalledReply(progressTimeoutMs))
    const left = new AbortController()
    let streaming = false
    let complete = false
    try {
      const response = await progress.during(
        client.chat.completions
          .create(openRouterBody(request), {
            signal: AbortSignal.any([signal, progress.signal, left.signal]),
          })
          .asResponse(),
      )
      streaming = true
      const header = response.headers.get('x-generation-id')
      if (header) yield { kind: 'generation', id: header }

      const reply = new ReplyInProgress(request)
      let named = header !== null
      let terminated = false
      const frames = dataOf(response)
      for (;;) {
        const next = await progress.during(frames.next())
        if (next.done) break
        if (next.value === '[DONE]') {
          terminated = true
          break
        }
        const chunk = parseChunk(next.value)
        if (!named && chunk.id) {
          named = true
          yield { kind: 'generation', id: chunk.id }
        }
        yield* reply.take(chunk)
      }
      complete = true
      if (terminated) finishBody(frames, left)
      yield* reply.end(terminated)
    } catch (failure) {
      if (signal.aborted) throw signal.reason
      if (progress.signal.aborted) throw progress.signal.reason
      throw modelErrorOf(failure, { streaming, secret: apiKey })
    } finally {
      // Whoever stops listening before the end closes the connection: the provider may stop too.
      if (!complete) left.abort()
    }
  }

  async function lookup(generationId: string, signal: AbortSignal): Promise<ModelUsage | undefined> {
    signal.throwIfAborted()
    try {
      const response = await client
        .get('/generation', {
          query: { id: generationId },
          signal: AbortSignal.any([signal, AbortSignal.timeout(lookupTimeoutMs)]),
        })
        .asResponse()
      return parseGeneration(await response.text())
    } catch (failure) {
      if (signal.aborted) throw signal.reason
      if (failure instanceof NotFoundError) return undefined
      throw modelErrorOf(failure, { streaming: false, secret: apiKey })
    }
  }

  const price = (model: Model): ModelPrice | undefined => openRouterPrice(model)
  return { stream, price, lookup }
}

/** The JSON texts of an answer: one a frame, or the whole body where it is no event stream. */
async function* dataOf(response: Response): AsyncGenerator<string> {
  const type = response.headers.get('content-type') ?? ''
  if (type.includes('text/event-stream') && response.body) {
    yield* sseFrames(response.body)
    return
  }
  const text = (await response.text()).trim()
  if (!text.startsWith('{')) throw new SyntaxError(`a body of type ${type || 'unknown'}`)
  yield text
  yield '[DONE]'
}

/** Reads the rest in the background, so that the connection can be used again, and cuts it where there is no end. */
function finishBody(frames: AsyncGenerator<string>, left: AbortController): void {
  const timer = setTimeout(() => left.abort(), LINGER_MS).unref()
  void (async () => {
    try {
      while (!(await frames.next()).done);
    } catch {
      // The reply is complete; how its connection ends changes nothing.
    } finally {
      clearTimeout(timer)
    }
  })()
}
