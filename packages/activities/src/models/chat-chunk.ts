import { z } from 'zod'
import { parseKeepingText } from './micro-usd.ts'

const Delta = z.object({
  content: z.string().nullish(),
  refusal: z.string().nullish().catch(undefined),
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
export type Delta = z.infer<typeof Delta>

/** What we read of a chat completion's chunk; a whole, unstreamed answer has `message` where a chunk has `delta`. */
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
  usage: z.unknown().optional(),
})
export type Chunk = z.infer<typeof Chunk>

/**
 * Parses a chunk's text, with the numbers under `exact` left as text. Throws a `SyntaxError` when it is no JSON or nothing
 * like a chunk.
 */
export function parseChunk(text: string, exact: readonly string[] = []): Chunk {
  // Such numbers stand in the usage alone; everything else is parsed the plain way, which is faster.
  const value =
    exact.length > 0 && text.includes('"usage"') ? parseKeepingText(text, exact) : JSON.parse(text)
  const chunk = Chunk.safeParse(value)
  if (!chunk.success) throw new SyntaxError(`not a chat chunk: ${z.prettifyError(chunk.error)}`)
  return chunk.data
}
