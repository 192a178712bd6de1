import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { knownModels, priceOf } from './prices.ts'

/** An answer of `/models`: whole, or in pieces for a list longer than memory. */
export interface ModelList {
  status?: number
  body: string | Iterable<string>
}

/** Answers with the given list; a reader who leaves before its end is no failure. */
export async function sendModels(response: ServerResponse, list: ModelList | undefined): Promise<void> {
  const { status = 200, body } = list ?? { body: JSON.stringify({ data: knownModels().map(entryOf) }) }
  response.writeHead(status, { 'content-type': 'application/json' })
  await pipeline(Readable.from(typeof body === 'string' ? [body] : body), response).catch(() => {})
}

/** A model as OpenRouter lists it: prices are text, USD a token. */
function entryOf(id: string): unknown {
  const price = priceOf(id)
  return {
    id,
    canonical_slug: price.canonical,
    name: id,
    context_length: 131_072,
    pricing: {
      prompt: price.prompt,
      completion: price.completion,
      request: '0',
      image: '0',
      web_search: '0',
      internal_reasoning: '0',
      ...(price.cached === undefined ? {} : { input_cache_read: price.cached }),
    },
    supported_parameters: ['tools', 'tool_choice', 'max_tokens', 'temperature'],
  }
}
