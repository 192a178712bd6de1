import { Script, type ScriptedTurn } from '@devflow/contracts'
import { z } from 'zod'
import { delay } from './abortable-delay.ts'
import { type ModelAdapter, ModelError, type ModelEvent, type ModelRequest } from './model.ts'
import { estimateInput, estimateTokens, playReply } from './played-reply.ts'

/** A model that says what its persona's `model.script` holds. Costs nothing; every delay can be aborted. */
export function scriptedModel(): ModelAdapter {
  async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    signal.throwIfAborted()
    const turn = turnOf(request)
    const ids = (turn.toolCalls ?? []).map(({ id }) => id)
    const toolCalls = (turn.toolCalls ?? []).map((call, index) => ({
      // Within a turn an id names one call, as it does with every other model.
      id: call.id !== undefined && ids.indexOf(call.id) === index ? call.id : `call_${request.turn}_${index}`,
      name: call.name,
      arguments: typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments ?? {}),
    }))
    const content = turn.reply ?? ''
    const written = content + toolCalls.map((call) => call.arguments).join('')
    const events = playReply(
      {
        ...turn,
        content,
        toolCalls,
        usage: {
          inputTokens: estimateInput(request.messages),
          outputTokens: estimateTokens(written),
          ...turn.usage,
          costMicroUsd: 0,
        },
        modelUsed: request.model.name,
      },
      signal,
    )
    for await (const event of events) {
      if (turn.error && (event.kind === 'usage' || event.kind === 'done')) break
      yield event
    }
    if (!turn.error) return
    await delay(0, signal)
    const { kind = 'UNAVAILABLE', code, message, retryable = false, retryAfterMs } = turn.error
    throw new ModelError(kind, code, message, { retryable, billed: 'no', retryAfterMs })
  }
  return { stream, price: (model) => model.pricing ?? { input: 0, output: 0 } }
}

function turnOf({ model, phase, attempt, turn }: ModelRequest): ScriptedTurn {
  const parsed = parsedScript(model.script)
  if (!parsed.success)
    throw new ModelError('INVALID', 'invalid_script', `model.script: ${z.prettifyError(parsed.error)}`, {
      retryable: false,
      billed: 'no',
    })
  const { turns, phases } = parsed.data
  const own = phases && Object.hasOwn(phases, phase) ? phases[phase] : undefined
  const list = own === undefined ? turns : Array.isArray(own) ? own : at(own.attempts, attempt)
  const found = list && at(list, turn)
  if (!found)
    throw new ModelError('INVALID', 'invalid_script', `model.script has no turns for phase ${phase}`, {
      retryable: false,
      billed: 'no',
    })
  return found
}

/** A definition's script is one object for all turns of its runs: parsed once. */
const known = new WeakMap<object, ReturnType<typeof Script.safeParse>>()

function parsedScript(script: unknown): ReturnType<typeof Script.safeParse> {
  const object = typeof script === 'object' && script !== null ? script : undefined
  const parsed = (object && known.get(object)) ?? Script.safeParse(script)
  if (object) known.set(object, parsed)
  return parsed
}

/** The n-th, counted from 1; the last one where the list is shorter. */
const at = <T>(list: readonly T[], n: number): T | undefined => list[Math.min(n, list.length) - 1]
