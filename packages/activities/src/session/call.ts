import { type CostSource, costOf, type Model, StreamScrub } from '@devflow/contracts'
import type { EventLine, Line, Overrun, Refusal } from '@devflow/db'
import {
  type Finish,
  ModelError,
  type ModelRequest,
  type ModelUsage,
  type ToolCall,
} from '../models/model.ts'
import { NotSent } from '../models/wire.ts'
import { ChunkPump } from './chunk-pump.ts'
import { eventAt } from './place.ts'
import { isFenced, type Session } from './session.ts'
import { ownUntil } from './stop.ts'

/** A call that came to its end: what it said, and the lines that settle it, to be committed with the turn. */
export interface Answered {
  outcome: 'answered'
  content: string
  toolCalls: ToolCall[]
  reasoning: unknown
  finish: Finish
  tokens: number
  lines: Line[]
}

export type CallOutcome =
  | Answered
  | { outcome: 'refused'; code: Refusal; over: Overrun | undefined }
  | { outcome: 'fenced' }
  /** Stopped in the middle; what it cost shows when the provider is asked. */
  | { outcome: 'stopped' }
  | { outcome: 'failed'; error: ModelError }

/**
 * One request to a provider: reserved, sent, and settled or lost, as its own row of the ledger (I5). `first` are the
 * lines to write together with the reservation: nothing of them stands when it is refused.
 */
export async function callModel(
  session: Session,
  turn: number,
  call: number,
  request: ModelRequest,
  reserve: { microUsd: number | undefined; tokens: number },
  first: EventLine[],
): Promise<CallOutcome> {
  const { deps, place, persona } = session
  const { provider, name } = request.model
  const reserved = eventAt(
    place,
    'call.reserved',
    `call-${call}/reserved`,
    {
      call,
      persona: persona.id,
      provider,
      model: name,
      // Where no limit in money asks, an unknown price reserves nothing.
      reservedMicroUsd: reserve.microUsd ?? 0,
      reservedTokens: reserve.tokens,
      ...(request.purpose === 'summary' ? { purpose: request.purpose } : {}),
    },
    turn,
  )
  const { microUsd, tokens } = reserve
  const answer = await session.append([...first, reserved], { microUsd, tokens, persona: persona.id })
  if (answer.verdict === 'refused') return { outcome: 'refused', code: answer.code, over: answer.over }
  if (isFenced(answer)) return { outcome: 'fenced' }
  if ('past' in answer && answer.past) session.warn(answer.past)
  deps.reach('after-reserve')
  return (await sendWhileOwn(session, turn, call, request)) ?? (await free(session, turn, call))
}

/** Sends it while the session is its own, again where that was in doubt before it was on its way; undefined: it was not sent. */
async function sendWhileOwn(
  session: Session,
  turn: number,
  call: number,
  request: ModelRequest,
): Promise<CallOutcome | undefined> {
  const { deps, place, epoch, stop } = session
  while (!stop.reason) {
    const notAfter = await ownUntil(deps, place, epoch, stop)
    if (notAfter === undefined) return undefined
    const outcome = await send(session, turn, call, { ...request, notAfter })
    if (outcome !== 'not sent') return outcome
  }
  return undefined
}

/** Nothing was sent: nothing is owed. */
async function free(session: Session, turn: number, call: number): Promise<CallOutcome> {
  const nothing = { status: 'aborted', costMicroUsd: 0, costSource: 'provider' }
  const freeing = await session.append([ended(session, turn, call, 'call.settled', nothing)])
  return { outcome: isFenced(freeing) ? 'fenced' : 'stopped' }
}

async function send(
  session: Session,
  turn: number,
  call: number,
  request: ModelRequest,
): Promise<CallOutcome | 'not sent'> {
  const { deps, adapter, place, stop } = session
  const isShown = request.purpose !== 'summary'
  const pump = new ChunkPump(deps.writer, place, session.epoch, turn, call, () => stop.now('fenced'), isShown)
  const texts = {
    token: new StreamScrub(deps.scrub, deps.secrets),
    thinking: new StreamScrub(deps.scrub, deps.secrets),
    tool_use: new StreamScrub(deps.scrub, deps.secrets),
  }
  const started = performance.now()
  let generationId: string | undefined
  let usage: ModelUsage = {}
  try {
    for await (const event of adapter.stream(request, stop.signal)) {
      if (event.kind === 'generation') {
        generationId = event.id
        pump.add(eventAt(place, 'call.started', `call-${call}/started`, { call, generationId }, turn))
        deps.reach('after-send')
      } else if (event.kind === 'usage') usage = event.usage
      else if (event.kind === 'done') {
        deps.reach('after-stream')
        for (const kind of ['thinking', 'token', 'tool_use'] as const) pump.chunk(kind, texts[kind].rest())
        const tokens = (usage.inputTokens ?? 0) + (usage.outputTokens ?? 0)
        const billed = await settlement(session, request.model, usage)
        const type = billed.costMicroUsd === undefined ? 'call.lost' : 'call.settled'
        const latencyMs = Math.round(performance.now() - started)
        const details = { ...billed, modelUsed: event.modelUsed, generationId, latencyMs }
        return {
          outcome: 'answered',
          content: deps.scrub(event.content),
          toolCalls: deps.scrub(event.toolCalls),
          reasoning: event.reasoning,
          finish: event.finish,
          tokens,
          lines: [...pump.end(), ended(session, turn, call, type, details)],
        }
      } else {
        pump.chunk(event.kind, texts[event.kind].push(event.text))
        deps.reach('mid-stream')
      }
    }
    throw new ModelError('UNAVAILABLE', 'stream_incomplete', 'The stream ended before the answer did.', {
      retryable: true,
      billed: 'unknown',
    })
  } catch (error) {
    if (stop.reason === 'fenced') return { outcome: 'fenced' }
    if (error instanceof NotSent) return 'not sent'
    if (!stop.reason && !(error instanceof ModelError)) throw error
    const failure = error instanceof ModelError ? error : undefined
    const nothingBilled = !stop.reason && failure?.billed === 'no'
    const billed = await settlement(session, request.model, usage)
    // By the price list only where the provider cannot be asked what it billed.
    const known = billed.costSource === 'provider' || (billed.costSource && !adapter.lookup)
    const line =
      nothingBilled || (failure && known)
        ? ended(session, turn, call, 'call.settled', {
            ...billed,
            status: 'failed',
            costMicroUsd: billed.costMicroUsd ?? 0,
            costSource: billed.costSource ?? 'provider',
            generationId,
          })
        : ended(session, turn, call, 'call.lost', {
            status: stop.reason ? 'aborted' : 'unsettled',
            generationId,
            reason: stop.reason ?? failure?.code,
          })
    const told =
      failure && !stop.reason
        ? [
            eventAt(
              place,
              'turn.failed',
              `call-${call}/failed`,
              {
                call,
                error: deps.scrub({ kind: failure.kind, code: failure.code, message: failure.message }),
              },
              turn,
            ),
          ]
        : []
    const answer = await session.append([...pump.reset(), line, ...told])
    if (isFenced(answer)) return { outcome: 'fenced' }
    if (stop.reason) return { outcome: 'stopped' }
    deps.log.warn(
      { ...place, turn, call, code: failure?.code, model: request.model.name },
      'a model call failed',
    )
    return failure ? { outcome: 'failed', error: failure } : { outcome: 'stopped' }
  }
}

/** What is owed for an answer: the provider's own figure, else the price list's, else unknown for now. */
async function settlement(
  { deps, adapter }: Session,
  model: Model,
  usage: ModelUsage,
): Promise<Record<string, unknown> & { costMicroUsd?: number; costSource?: CostSource }> {
  const { inputTokens, outputTokens, cachedTokens, reasoningTokens } = usage
  const counts = { inputTokens, outputTokens, cachedTokens, reasoningTokens }
  if (usage.costMicroUsd !== undefined)
    return { ...counts, status: 'settled', costMicroUsd: usage.costMicroUsd, costSource: 'provider' }
  if (inputTokens !== undefined && outputTokens !== undefined) {
    const price = await deps.prices.of(adapter, model)
    const costMicroUsd = price && costOf(price, { ...usage, inputTokens, outputTokens })
    if (costMicroUsd !== undefined)
      return { ...counts, status: 'settled', costMicroUsd, costSource: 'pricing' }
  }
  return { ...counts, status: 'unsettled' }
}

/** A call ends once, settled or lost: both write the same key (I3). */
function ended(
  { place }: Session,
  turn: number,
  call: number,
  type: 'call.settled' | 'call.lost',
  data: Record<string, unknown>,
): EventLine {
  return eventAt(place, type, `call-${call}/end`, { call, ...data }, turn)
}
