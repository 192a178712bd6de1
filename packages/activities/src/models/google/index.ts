import type { GenerateContentResponse, GoogleGenAI } from '@google/genai'
import type { ModelAdapter, ModelRequest } from '../model.ts'
import { once } from '../once.ts'
import { modelWithoutKey } from '../provider-failure.ts'
import { streamed } from '../streamed-call.ts'
import { googleErrorOf } from './errors.ts'
import { GoogleReply } from './reply.ts'
import { googleParameters } from './request.ts'

export interface GoogleOptions {
  apiKey: string | undefined
  /** Default `https://generativelanguage.googleapis.com`. */
  baseURL?: string | undefined
  /** How long a reply may go without a chunk, its first included. Default 120 s. */
  progressTimeoutMs?: number | undefined
}

/** Gemini through Google's own package, which is loaded with the first call. */
export function googleModel(options: GoogleOptions): ModelAdapter {
  const { apiKey, baseURL = 'https://generativelanguage.googleapis.com' } = options
  const { progressTimeoutMs = 120_000 } = options
  if (!apiKey) return modelWithoutKey('GEMINI_API_KEY or GOOGLE_API_KEY')
  const sdk = once(() => import('@google/genai'))
  const client = once(
    async (): Promise<GoogleGenAI> =>
      new (await sdk()).GoogleGenAI({
        apiKey,
        // Named, so that nothing is read from the environment. Thinking and JSON Schema are in v1beta for sure.
        enterprise: false,
        apiVersion: 'v1beta',
        // Without `retryOptions` it makes one request and no other.
        httpOptions: { baseUrl: baseURL },
      }),
  )

  async function* stream(request: ModelRequest, signal: AbortSignal) {
    signal.throwIfAborted()
    const loaded = await sdk()
    const reply = new GoogleReply(request)
    yield* streamed<GenerateContentResponse>(
      {
        open: async (ended, wire) =>
          (await client()).models.generateContentStream(googleParameters(request, ended, wire)),
        take: (chunk) => reply.take(chunk),
        terminated: () => reply.ended,
        end: () => reply.end(),
        errorOf: (failure, streaming) => googleErrorOf(failure, { sdk: loaded, streaming, secret: apiKey }),
      },
      request,
      signal,
      progressTimeoutMs,
    )
  }

  return { stream, price: (model) => model.pricing }
}
