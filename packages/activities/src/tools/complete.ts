import { z } from 'zod'
import { told, tool } from './tool.ts'

const Arguments = z.object({ content: z.unknown().optional() }).refine((args) => args.content !== undefined, {
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
