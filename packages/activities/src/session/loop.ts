import { DevflowError, type SessionEnd } from '@devflow/contracts'
import type { EventLine, Line } from '@devflow/db'
import type { Message, ModelError, ToolCall } from '../models/model.ts'
import { runTool } from '../tools/index.ts'
import { type Answered, callModel } from './call.ts'
import { eventAt } from './place.ts'
import { artifactInvalid, completed, type Judged, jsonIn, judge, MOST_REPAIRS } from './proposal.ts'
import { reservationFor } from './reservation.ts'
import type { Session } from './session.ts'
import { assistantMessage, type ToolData, type Transcript, type TurnData, toolMessage } from './transcript.ts'

const DEFAULT_TURNS = 50
/** Calls of one turn before its phase fails: the first, and two more for errors that pass. */
const MOST_CALLS = 3
/** The session goes back to Temporal to be taken up by another worker. */
export const HANDED_OVER = 'handed over'
export type LoopEnd = SessionEnd | typeof HANDED_OVER

/**
 * An agent phase: reserve, call, record, run tools, again; until an artifact is accepted, the phase fails, or the
 * session is stopped. It starts wherever `transcript` stands and keeps nothing that is not on record.
 */
export async function runLoop(session: Session, transcript: Transcript, prompt: Message[]): Promise<LoopEnd> {
  const { stop, persona } = session
  if (transcript.messages.length === 0) transcript.messages.push(...prompt)
  const mostTurns = persona.model.maxTurns ?? DEFAULT_TURNS
  for (;;) {
    if (stop.reason) return await stopped(session)
    await runTools(session, transcript)
    if (stop.reason) return await stopped(session)
    if (stop.leaving) return HANDED_OVER
    if (transcript.turns >= mostTurns) {
      return await fail(
        session,
        new DevflowError('INVALID', 'turn_limit', `The phase did not finish within ${mostTurns} turns.`),
      )
    }
    if (transcript.tokens > (persona.model.maxTokensTotal ?? Number.POSITIVE_INFINITY)) {
      return await fail(
        session,
        new DevflowError(
          'INVALID',
          'token_budget_exceeded',
          `The phase used more than ${persona.model.maxTokensTotal} tokens.`,
        ),
      )
    }
    const turn = transcript.turns + 1
    const answered = await callUntilAnswered(session, transcript, turn, prompt)
    if (!('outcome' in answered)) return answered.end
    const end = await record(session, transcript, turn, answered)
    if (end) return end
  }
}

/** Calls the model for a turn, again after errors that pass; each call is one row of the ledger. */
async function callUntilAnswered(
  session: Session,
  transcript: Transcript,
  turn: number,
  prompt: Message[],
): Promise<Answered | { end: LoopEnd }> {
  const { deps, adapter, persona, tools, place, stop, progress } = session
  const { microUsd, tokens, maxOutputTokens } = reservationFor(
    adapter,
    persona.model,
    transcript.messages,
    tools,
  )
  if (microUsd === undefined && progress.budget.limitMicroUsd !== undefined) {
    const message = `The price of ${persona.model.name} is not known, and the run has a limit in money. Give the persona a \`pricing\`, or choose another model.`
    return { end: await fail(session, new DevflowError('INVALID', 'unpriced_model', message)) }
  }
  const { phase, attempt, runId } = place
  const request = {
    model: persona.model,
    messages: transcript.messages,
    tools,
    maxOutputTokens,
    sessionId: `${runId}/${phase}/${attempt}`,
    phase,
    attempt,
    turn,
  }
  for (let tries = 1; ; tries += 1) {
    transcript.callsOfNextTurn += 1
    const call = transcript.callsOfNextTurn
    const first = call === 1 ? openingLines(session, turn, prompt) : []
    const result = await callModel(session, turn, call, request, { microUsd: microUsd ?? 0, tokens }, first)
    switch (result.outcome) {
      case 'answered':
        return result
      case 'fenced':
        return { end: { ended: 'stopped', why: 'fenced' } }
      case 'stopped':
        return { end: await stopped(session) }
      case 'refused':
        return {
          end:
            result.code === 'over_budget'
              ? await overBudget(session, turn, call, microUsd ?? 0)
              : { ended: 'stopped', why: result.code },
        }
      case 'failed':
        if (!result.error.retryable || tries >= MOST_CALLS)
          return { end: await fail(session, failureOf(result.error)) }
        await pause(session, result.error, tries)
        if (stop.reason) return { end: await stopped(session) }
        if (stop.leaving) return { end: HANDED_OVER }
        deps.log.info({ ...place, turn, call }, 'calling the model again')
    }
  }
}

/** What opens a turn, written with its first reservation; the first turn's holds the prompt, for the record and for resuming. */
function openingLines(
  { place, persona, definition, root, progress, commit }: Session,
  turn: number,
  prompt: Message[],
): EventLine[] {
  const started = eventAt(place, 'turn.started', 'started', turn === 1 ? { messages: prompt } : {}, turn)
  if (turn > 1) return [started]
  const workspace =
    root !== undefined && progress.workspace ? { repo: progress.workspace.repo, commit } : undefined
  const data = {
    kind: 'agent',
    persona: persona.id,
    model: persona.model.name,
    template: definition.template,
    ...(workspace ? { workspace } : {}),
  }
  return [eventAt(place, 'phase.started', 'start', data), started]
}

/** Records a turn: what was said, what it cost, and what follows from it, in one transaction. */
async function record(
  session: Session,
  transcript: Transcript,
  turn: number,
  answered: Answered,
): Promise<LoopEnd | undefined> {
  const { deps, place, agent } = session
  const said: TurnData = {
    content: answered.content,
    // Arguments cut off at the token limit may even parse: they are never run.
    toolCalls: answered.toolCalls,
    ...(answered.reasoning === undefined ? {} : { reasoning: answered.reasoning }),
    finish: answered.finish,
    tokens: answered.tokens,
  }
  const lines: Line[] = [...answered.lines, eventAt(place, 'turn.completed', 'completed', { ...said }, turn)]
  for (const call of said.toolCalls)
    lines.push(
      eventAt(
        place,
        'tool.called',
        `tool/${call.id}/called`,
        { id: call.id, name: call.name, args: call.arguments },
        turn,
      ),
    )
  const results: ToolData[] = []
  let ask: string | undefined
  let judged: Judged | undefined

  if (answered.finish === 'length' && said.toolCalls.length > 0) {
    for (const { id, name } of said.toolCalls)
      results.push({
        id,
        name,
        ok: false,
        content: 'Not executed: your answer was cut off at the token limit. Be shorter.',
      })
  } else {
    const complete =
      agent.produces === undefined ? undefined : said.toolCalls.find(({ name }) => name === 'complete')
    if (complete && agent.produces !== undefined) {
      judged = await judge(session, turn, agent.produces, completed(complete.arguments))
      results.push({ id: complete.id, name: 'complete', ok: judged.accepted, content: judged.said })
    } else if (said.toolCalls.length === 0) {
      if (agent.produces !== undefined) {
        judged = await judge(session, turn, agent.produces, jsonIn(said.content))
        if (!judged.accepted) ask = judged.said
      } else if (said.content.trim() !== '') {
        lines.push(
          eventAt(place, 'phase.completed', 'end', { output: { text: said.content.slice(0, 100_000) } }),
        )
      } else {
        ask = 'Your answer was empty. Answer the task.'
        lines.push(
          eventAt(
            place,
            'artifact.rejected',
            'rejected',
            { errors: [{ path: '', message: 'The answer is empty.' }], ask },
            turn,
          ),
        )
      }
    }
  }
  if (judged)
    for (const line of judged.lines)
      lines.push(
        ask !== undefined && line.type === 'artifact.rejected'
          ? { ...line, data: { ...line.data, ask } }
          : line,
      )
  for (const result of results)
    lines.push(eventAt(place, 'tool.completed', `tool/${result.id}/completed`, { ...result }, turn))

  const rejected = ask !== undefined || judged?.accepted === false
  if (rejected) transcript.repairs += 1
  const spoiled = transcript.repairs > MOST_REPAIRS
  if (rejected && spoiled)
    lines.push(failureLine(session, artifactInvalid(agent.produces ?? 'answer', judged?.errors ?? [])))

  const done = lines.some(({ type }) => type === 'phase.completed')
  if (done) deps.reach('before-completion')
  const answer = await session.append(lines)
  if (answer.verdict === 'fenced' || answer.verdict === 'no_run') return { ended: 'stopped', why: 'fenced' }
  deps.reach('after-record')
  if (done) return { ended: 'completed' }
  if (rejected && spoiled) return { ended: 'failed' }

  transcript.turns = turn
  transcript.callsOfNextTurn = 0
  transcript.tokens += answered.tokens
  transcript.messages.push(assistantMessage(said), ...results.map(toolMessage))
  if (ask !== undefined) transcript.messages.push({ role: 'user', content: ask })
  transcript.openCalls = said.toolCalls.filter(({ id }) => !results.some((result) => result.id === id))
  return undefined
}

/** Runs the tools the last turn asked for. Results are appended without waiting: the next reservation follows them. */
async function runTools(session: Session, transcript: Transcript): Promise<void> {
  const { deps, place, stop, root, tools } = session
  for (const call of transcript.openCalls) {
    if (stop.reason) return
    const result = await runOne(call)
    const type = result.denied ? 'tool.denied' : 'tool.completed'
    const { id, name } = call
    const data: ToolData = deps.scrub({ id, name, ok: result.ok, content: result.content })
    transcript.messages.push(toolMessage(data))
    void session
      .append([
        eventAt(
          place,
          type,
          `tool/${id}/completed`,
          { ...data, bytes: Buffer.byteLength(data.content) },
          transcript.turns,
        ),
      ])
      .catch(() => stop.now('fenced'))
    deps.reach('after-tool')
  }
  transcript.openCalls = []

  async function runOne(call: ToolCall): Promise<{ ok: boolean; denied?: boolean; content: string }> {
    if (!tools.some(({ name }) => name === call.name)) {
      return {
        ok: false,
        denied: true,
        content: `There is no tool \`${call.name}\` here. Tools: ${tools.map(({ name }) => name).join(', ') || 'none'}.`,
      }
    }
    if (root === undefined)
      return { ok: false, denied: true, content: 'This run has no workspace: there are no files to look at.' }
    return await runTool(call, { root, signal: stop.signal })
  }
}

async function overBudget(session: Session, turn: number, call: number, microUsd: number): Promise<LoopEnd> {
  const { progress, place } = session
  const { limitMicroUsd, limitTokens } = progress.budget
  const limits = [
    limitMicroUsd === undefined ? '' : `${limitMicroUsd} micro-dollars`,
    limitTokens === undefined ? '' : `${limitTokens} tokens`,
  ]
    .filter(Boolean)
    .join(' and ')
  const error = new DevflowError(
    'RATE_LIMITED',
    'budget_exceeded',
    `The next call could cost ${microUsd} micro-dollars; the run's budget of ${limits} does not hold it.`,
  )
  return await fail(session, error, [
    eventAt(
      place,
      'budget.exceeded',
      `call-${call}/over-budget`,
      { scope: 'run', limitMicroUsd, limitTokens, wantedMicroUsd: microUsd },
      turn,
    ),
  ])
}

/** Ends the phase with an error on record. */
export async function fail(
  session: Session,
  error: DevflowError,
  before: EventLine[] = [],
): Promise<SessionEnd> {
  const { place } = session
  const start = eventAt(place, 'phase.started', 'start', { kind: 'agent', persona: session.persona.id })
  const answer = await session.append([start, ...before, failureLine(session, error)])
  return answer.verdict === 'fenced' || answer.verdict === 'no_run'
    ? { ended: 'stopped', why: 'fenced' }
    : { ended: 'failed' }
}

function failureLine({ deps, place }: Session, error: DevflowError): EventLine {
  return eventAt(place, 'phase.failed', 'end', { error: deps.scrub(error.record) })
}

function failureOf(error: ModelError): DevflowError {
  return new DevflowError(error.kind, error.code, error.message)
}

async function stopped(session: Session): Promise<LoopEnd> {
  switch (session.stop.reason) {
    case 'canceled':
      return { ended: 'stopped', why: 'canceled' }
    case 'timeout':
      return await fail(
        session,
        new DevflowError('TIMEOUT', 'phase_timeout', 'The phase did not finish within its timeout.'),
      )
    case 'shutdown':
      return HANDED_OVER
    default:
      return { ended: 'stopped', why: 'fenced' }
  }
}

/** Waits before the next call: what the provider asks for, else doubling with jitter; at most a minute. */
async function pause({ deps, stop }: Session, error: ModelError, tries: number): Promise<void> {
  const backoff = deps.times.callBackoffMs * 2 ** (tries - 1) * (0.5 + Math.random())
  const ms = Math.min(error.retryAfterMs ?? backoff, 60_000)
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    const wake = () => {
      clearTimeout(timer)
      resolve()
    }
    stop.signal.addEventListener('abort', wake, { once: true })
    if (stop.signal.aborted) wake()
  })
}
