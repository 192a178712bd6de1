import type { DefinedArtifact, ErrorDetail } from '@devflow/contracts'
import type { Line } from '@devflow/db'
import type { ToolCall } from '../models/model.ts'
import {
  fileOf,
  hasWritten,
  type Proposed,
  proposedContent,
  proposedFile,
  proposedText,
} from './artifact-form.ts'
import type { Answered } from './call.ts'
import { type DeliveryEnd, FENCED } from './delivery-end.ts'
import { failureLine } from './ends.ts'
import { flawOf } from './flawed-answer.ts'
import { eventAt } from './place.ts'
import { artifactInvalid, type Judged, judge, MOST_REPAIRS } from './proposal.ts'
import { isFenced, type Session } from './session.ts'
import { takeSnapshot } from './snapshots.ts'
import { completedLine } from './subagents/lines.ts'
import { recordTools, startTools, takeResults } from './tool-calls.ts'
import { type ToolData, type Transcript, type TurnData, tellSaid, toolMessage } from './transcript.ts'

/**
 * Tools that answer within this many ms are recorded in one transaction with their turn and the next reservation, so
 * that a quick turn costs one commit. A turn's record never waits longer for its tools.
 */
const HEAD_START_MS = 2

const CUT_OFF = {
  length: 'Not executed: your answer was cut off at the token limit. Be shorter.',
  content_filter: 'Not executed: your answer was cut off by a content filter.',
}

/** What an answer leads to. */
interface Reading {
  /** Results known at once: of `complete`, and of calls that must not run. */
  results: ToolData[]
  /** Tools to run. */
  open: ToolCall[]
  /** A user message that asks for a repair, where there is no tool call to answer. */
  ask?: string
  /** Why, where nothing was judged. */
  why?: string
  judged?: Judged
  /** The answer itself is the phase's output. */
  output?: string
}

/** Records a turn: what was said, what it cost and what follows from it, in one transaction; then runs its tools. */
export async function takeTurn(
  session: Session,
  transcript: Transcript,
  turn: number,
  answered: Answered,
): Promise<DeliveryEnd | undefined> {
  const { deps, place } = session
  const { content, toolCalls, reasoning, finish, tokens } = answered
  const said: TurnData = {
    content,
    toolCalls,
    ...(reasoning === undefined ? {} : { reasoning }),
    finish,
    tokens,
  }
  const reading = await read(session, transcript, turn, said)
  const rejected = reading.ask !== undefined || reading.judged?.accepted === false
  if (rejected) transcript.repairs += 1
  const spoiled = rejected && transcript.repairs > MOST_REPAIRS
  const done = reading.judged?.accepted === true || reading.output !== undefined
  // Files that the model changed itself are on record with what it says of them, or neither is.
  const kept = session.rootOfModel && (await takeSnapshot(session, turn, 'answer', []))
  const lines = [...answered.lines, ...(kept ? [kept] : []), ...turnLines(session, turn, said, reading)]
  if (spoiled)
    lines.push(failureLine(session, artifactInvalid(session.agent.produces ?? 'answer', errorsOf(reading))))

  const posted = Promise.withResolvers<void>()
  const tools = startTools(session, transcript, turn, reading.open, posted.promise)
  if (reading.open.length > 0)
    await Promise.race([tools.done, new Promise((resolve) => setTimeout(resolve, HEAD_START_MS))])
  if (done) deps.reach('before-completion')
  transcript.turns = turn
  transcript.callsOfNextTurn = 0
  transcript.tokens += tokens
  tellSaid(transcript, turn, said)
  transcript.messages.push(...reading.results.map(toolMessage))
  if (reading.ask !== undefined) transcript.messages.push({ role: 'user', content: reading.ask })
  const quick = takeResults(session, transcript, turn, tools).flat()
  const recorded = () => {
    deps.reach('after-record')
    if (quick.length > 0) deps.reach('after-tool')
  }
  if (reading.open.length > 0) session.post([...lines, ...quick], recorded)
  else if (isFenced(await session.append(lines))) return FENCED
  else recorded()
  posted.resolve()
  if (done) return { ended: 'completed' }
  if (spoiled) return { ended: 'failed' }

  const end = await recordTools(session, transcript, turn, tools)
  deps.log.debug({ ...place, turn, count: reading.open.length }, 'a turn was taken; so many tools run on it')
  return end
}

const errorsOf = ({ judged, why = 'The answer is empty.' }: Reading): ErrorDetail[] =>
  judged?.errors ?? [{ path: '', message: why }]

async function read(
  session: Session,
  transcript: Transcript,
  turn: number,
  said: TurnData,
): Promise<Reading> {
  const { content, toolCalls, finish } = said
  const { produces } = session.agent
  const form: Pick<DefinedArtifact, 'kind'> =
    (produces === undefined ? undefined : session.definition.artifacts[produces]) ?? {}
  if ((finish === 'length' || finish === 'content_filter') && toolCalls.length > 0) {
    // Arguments that were cut off may even parse: they are never run.
    const told = CUT_OFF[finish]
    return { open: [], results: toolCalls.map(({ id, name }) => ({ id, name, ok: false, content: told })) }
  }
  const flaw = flawOf(said, session.tools, produces !== undefined && form.kind === undefined)
  if (flaw) return { open: [], results: [], ...flaw }
  if (produces === undefined) {
    const ended = endedBy(session, toolCalls)
    if (ended) return ended
    if (toolCalls.length > 0) return { open: toolCalls, results: [] }
    if (content.trim() !== '') return { open: [], results: [], output: content }
    return { open: [], results: [], ask: 'Your answer was empty. Answer the task.' }
  }
  const complete = toolCalls.find(({ name }) => name === 'complete')
  if (complete) {
    const file = fileOf(session)
    const given = proposedContent(complete.arguments, form)
    if (!given && file !== undefined && toolCalls.length > 1) {
      // The other calls may be what makes the file.
      const open = toolCalls.filter(({ id }) => id !== complete.id)
      return { open, results: [{ id: complete.id, name: 'complete', ok: false, content: NOT_ALONE }] }
    }
    const judged = await judge(session, turn, produces, given ?? (await fromFile(session, file)))
    // An accepted artifact ends the phase: what else was asked for in the same breath is not needed any more.
    const open = judged.accepted ? [] : toolCalls.filter(({ id }) => id !== complete.id)
    return {
      open,
      results: [{ id: complete.id, name: 'complete', ok: judged.accepted, content: judged.said }],
      judged,
    }
  }
  if (toolCalls.length > 0) return { open: toolCalls, results: [] }
  const file = fileOf(session)
  const isWritten = file !== undefined && hasWritten(transcript, file)
  const given = isWritten ? await fromFile(session, file) : proposedText(content, form)
  const judged = await judge(session, turn, produces, given)
  return { open: [], results: [], judged, ...(judged.accepted ? {} : { ask: judged.said }) }
}

/** Some models call `complete` where a plain answer is asked for: its content is the answer, if they have the tool at all. */
function endedBy({ agent, persona, deps }: Session, toolCalls: readonly ToolCall[]): Reading | undefined {
  const complete = toolCalls.find(({ name }) => name === 'complete')
  if (!complete || !(agent.tools ?? persona.tools).includes('complete')) return undefined
  const given = proposedContent(complete.arguments, { kind: 'text' }) ?? { unreadable: NO_CONTENT }
  const result = { id: complete.id, name: 'complete' }
  if ('unreadable' in given || given.content === '') {
    const content = 'unreadable' in given ? given.unreadable : NO_CONTENT
    const open = toolCalls.filter(({ id }) => id !== complete.id)
    return { open, results: [{ ...result, ok: false, content }] }
  }
  const content = deps.scrub(given.content)
  const output = typeof content === 'string' ? content : JSON.stringify(content)
  return { open: [], results: [{ ...result, ok: true, content: 'Accepted.' }], output }
}

const NO_CONTENT = 'complete takes {"content": …}.'

const NOT_ALONE =
  'Not yet: your other calls run first. When they have done what you wanted, call complete again, alone.'

/** The artifact as it stands in its file. */
async function fromFile({ root, agent, definition }: Session, file: string | undefined): Promise<Proposed> {
  if (root === undefined || file === undefined) return { unreadable: NO_CONTENT }
  return await proposedFile(root, file, definition.artifacts[agent.produces ?? ''] ?? {})
}

function turnLines({ place, asked }: Session, turn: number, said: TurnData, reading: Reading): Line[] {
  const { results, ask, judged, output } = reading
  const of = (type: Parameters<typeof eventAt>[1], key: string, data: Record<string, unknown>) =>
    eventAt(place, type, key, data, turn)
  const lines: Line[] = [of('turn.completed', 'completed', { ...said })]
  for (const { id, name, arguments: args } of said.toolCalls)
    lines.push(of('tool.called', `tool/${id}/called`, { id, name, args }))
  for (const result of results) lines.push(of('tool.completed', `tool/${result.id}/completed`, { ...result }))
  if (judged)
    for (const line of judged.lines)
      lines.push(
        ask !== undefined && line.type === 'artifact.rejected'
          ? { ...line, data: { ...line.data, ask } }
          : line,
      )
  else if (ask !== undefined)
    lines.push(of('artifact.rejected', 'rejected', { errors: errorsOf(reading), ask }))
  if (output !== undefined && asked)
    lines.push(completedLine({ place, asked }, { ok: true, turns: turn, bytes: Buffer.byteLength(output) }))
  else if (output !== undefined)
    lines.push(eventAt(place, 'phase.completed', 'end', { output: { text: output.slice(0, 100_000) } }))
  return lines
}
