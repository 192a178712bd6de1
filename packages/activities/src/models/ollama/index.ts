import type { ModelPrice } from '@devflow/contracts'
import type { ChatResponse } from 'ollama'
import type { ModelAdapter, ModelRequest } from '../model.ts'
import { once } from '../once.ts'
import { streamed } from '../streamed-call.ts'
import type { Wire } from '../wire.ts'
import { OllamaRefusal, ollamaError } from './errors.ts'
import { checkedLines } from './lines.ts'
import { OllamaReply } from './reply.ts'
import { ollamaRequest } from './request.ts'

export interface OllamaOptions {
  /** As `OLLAMA_HOST` has it: an address, `host:port` or `:port`. Default `http://127.0.0.1:11434`. */
  host?: string | undefined
  /** For servers that ask for one. */
  apiKey?: string | undefined
  /** Tokens of context to load models with. Default: as the server has it. */
  contextTokens?: number | undefined
  /** How long a reply may go without a line, its first included: a model may have to be loaded first. Default 300 s. */
  progressTimeoutMs?: number | undefined
}

const FREE: ModelPrice = { input: 0, output: 0 }

/** Models on one's own machine through Ollama's own package, which is loaded with the first call. */
export function ollamaModel(options: OllamaOptions = {}): ModelAdapter {
  const { host = 'http://127.0.0.1:11434', apiKey, contextTokens, progressTimeoutMs = 300_000 } = options
  const sdk = once(() => import('ollama'))

  /** The package has no way to end a request before its answer begins, so each call has its own client. */
  async function open(
    request: ModelRequest,
    ended: AbortSignal,
    wire: Wire,
  ): Promise<AsyncIterable<ChatResponse>> {
    const { Ollama } = await sdk()
    const client = new Ollama({
      host,
      headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
      fetch: (url, init) => checkedFetch(url, { ...init, signal: ended, dispatcher: wire.dispatcher }),
    })
    return await client.chat(ollamaRequest(request, contextTokens))
  }

  async function* stream(request: ModelRequest, signal: AbortSignal) {
    signal.throwIfAborted()
    const reply = new OllamaReply(request)
    const { name: model } = request.model
    yield* streamed<ChatResponse>(
      {
        open: (ended, wire) => open(request, ended, wire),
        take: (line) => reply.take(line),
        terminated: () => reply.done,
        end: () => reply.end(),
        errorOf: (failure, streaming) => ollamaError(failure, { model, host, streaming, secret: apiKey }),
      },
      request,
      signal,
      progressTimeoutMs,
    )
  }

  return { stream, price: (model) => model.pricing ?? FREE }
}

const checkedFetch: typeof fetch = async (url, init) => {
  const response = await fetch(url, init)
  if (!response.ok)
    throw new OllamaRefusal(response.status, await response.text(), response.headers.get('retry-after'))
  return new Response(response.body?.pipeThrough(checkedLines()) ?? null, response)
}
