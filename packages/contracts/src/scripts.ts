import { z } from 'zod'
import { ErrorKind } from './errors.ts'

const Ms = z.int().min(0).max(86_400_000)

/** One turn of a script. With `error` the turn fails; what else it says is streamed before. */
const ScriptedTurn = z.strictObject({
  reply: z.string().optional(),
  thinking: z.string().optional(),
  /** Text arguments go out as they are, so that broken JSON can be played too. */
  toolCalls: z
    .array(
      z.strictObject({ name: z.string().min(1), arguments: z.json().optional(), id: z.string().optional() }),
    )
    .optional(),
  finish: z.enum(['stop', 'length', 'tool_calls', 'content_filter']).optional(),
  delayMs: Ms.optional(),
  chunkDelayMs: Ms.optional(),
  chunks: z.int().min(1).max(10_000).optional(),
  usage: z
    .strictObject({
      inputTokens: z.int().nonnegative().optional(),
      outputTokens: z.int().nonnegative().optional(),
    })
    .optional(),
  error: z
    .strictObject({
      code: z.string().min(1),
      message: z.string().min(1),
      kind: ErrorKind.optional(),
      retryable: z.boolean().optional(),
      retryAfterMs: Ms.optional(),
    })
    .optional(),
})

export type ScriptedTurn = z.infer<typeof ScriptedTurn>

const Turns = z.array(ScriptedTurn).min(1)
const Attempts = z.strictObject({ attempts: z.array(Turns).min(1) })

/**
 * What a scripted persona says. `turns[n-1]` answers turn n of a phase; the last one answers all that follow. `phases`
 * gives a phase turns of its own, or turns for each of its attempts.
 */
export const Script = z
  .strictObject({
    turns: Turns.optional(),
    phases: z.record(z.string(), z.union([Turns, Attempts])).optional(),
  })
  .refine(({ turns, phases }) => turns !== undefined || phases !== undefined, {
    error: 'expected turns or phases',
  })
