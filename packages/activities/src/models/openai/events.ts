import { z } from 'zod'
import type { ModelUsage } from '../model.ts'
import { count, known } from '../usage-fields.ts'

const Item = z.looseObject({
  type: z.string(),
  call_id: z.string().nullish().catch(undefined),
  name: z.string().nullish().catch(undefined),
  arguments: z.string().nullish().catch(undefined),
  content: z
    .array(
      z.object({
        text: z.string().nullish().catch(undefined),
        refusal: z.string().nullish().catch(undefined),
      }),
    )
    .nullish()
    .catch(undefined),
})
export type Item = z.infer<typeof Item>

const Usage = z.object({
  input_tokens: count,
  output_tokens: count,
  input_tokens_details: z
    .object({ cached_tokens: count, cache_write_tokens: count })
    .nullish()
    .catch(undefined),
  output_tokens_details: z.object({ reasoning_tokens: count }).nullish().catch(undefined),
})

const Response = z.object({
  id: z.string().nullish().catch(undefined),
  model: z.string().nullish().catch(undefined),
  status: z.string().nullish().catch(undefined),
  error: z.unknown().optional(),
  incomplete_details: z.object({ reason: z.string().nullish() }).nullish().catch(undefined),
  output: z.array(Item).nullish().catch(undefined),
  usage: Usage.nullish().catch(undefined),
})
export type Response = z.infer<typeof Response>

/** What we read of an event; unknown types are for other clients. */
const StreamEvent = z.looseObject({
  type: z.string(),
  response: Response.nullish(),
  output_index: z.number().nullish(),
  item: Item.nullish().catch(undefined),
  delta: z.string().nullish().catch(undefined),
  arguments: z.string().nullish().catch(undefined),
})
export type StreamEvent = z.infer<typeof StreamEvent>

/** Throws a `SyntaxError` when the text is no JSON or nothing like an event. A bare error object counts as one. */
export function parseEvent(text: string): StreamEvent {
  const value = JSON.parse(text) as unknown
  if (typeof value === 'object' && value !== null && !('type' in value) && 'error' in value)
    return { ...value, type: 'error' }
  const event = StreamEvent.safeParse(value)
  if (!event.success) throw new SyntaxError(`not an event: ${z.prettifyError(event.error)}`)
  return event.data
}

/** Sent to keep the connection alive: it says nothing. */
export const isKeepAlive = (text: string): boolean => /^\{\s*"type"\s*:\s*"keepalive"/.test(text)

export function responsesUsage(usage: NonNullable<Response['usage']>): ModelUsage {
  return known({
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    cachedTokens: usage.input_tokens_details?.cached_tokens,
    cacheWriteTokens: usage.input_tokens_details?.cache_write_tokens,
    reasoningTokens: usage.output_tokens_details?.reasoning_tokens,
  })
}
