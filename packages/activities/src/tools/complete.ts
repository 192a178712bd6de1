import { z } from 'zod'
import { told, tool } from './tool.ts'

const Arguments = z.object({ content: z.unknown() }).refine((args) => args.content !== undefined, {
  error: 'expected a field "content" that holds the result',
})

/** Ends a phase. Running it does nothing: the session takes the content from the call and checks it. */
export const complete = tool({
  spec: {
    name: 'complete',
    description:
      'Finishes the work. Call it once, when all is done, with the whole result in content, as the output schema wants it.',
    parameters: {
      type: 'object',
      required: ['content'],
      properties: { content: { type: 'object', description: 'The result', additionalProperties: true } },
    },
  },
  arguments: Arguments,
  run: async () => told('completed'),
})

/**
 * The content a `complete` call holds, or why it holds none. A JSON object or array inside a string is taken out of it:
 * many models quote their result once too often.
 */
export function completedContent(
  argumentsText: string,
): { ok: true; content: unknown } | { ok: false; message: string } {
  let value: unknown
  try {
    value = JSON.parse(argumentsText)
  } catch (error) {
    return { ok: false, message: `the arguments of complete are no valid JSON: ${String(error)}` }
  }
  const parsed = Arguments.safeParse(value)
  if (!parsed.success)
    return { ok: false, message: `the arguments of complete are wrong: ${z.prettifyError(parsed.error)}` }
  return { ok: true, content: unquoted(parsed.data.content) }
}

function unquoted(content: unknown): unknown {
  if (typeof content !== 'string' || !/^\s*[{[]/.test(content)) return content
  try {
    return JSON.parse(content)
  } catch {
    return content
  }
}
