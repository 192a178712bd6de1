import type { RunEvent } from '@devflow/contracts'
import type { Message, ToolCall } from '../models/model.ts'
import { followCompaction } from './compaction/apply.ts'
import type { Conversation, Tally } from './conversation.ts'
import { callingAtFirst, followCalls } from './fallback.ts'

/** What `turn.completed` holds. */
export interface TurnData {
  content: string
  toolCalls: ToolCall[]
  reasoning?: unknown
  finish: string
  tokens: number
}

/** What `tool.completed` and `tool.denied` hold. */
export interface ToolData {
  id: string
  name: string
  ok: boolean
  content: string
  bytes?: number
  exitCode?: number
  code?: string
}

/** A session as the log has it: all it takes to go on. */
export interface Transcript extends Conversation, Tally {
  /** Turns on record. */
  turns: number
  /** Tool calls of the last turn that have no result yet. */
  openCalls: ToolCall[]
  /** Of these, by id, what was started and cannot be repeated. */
  startedCalls: Set<string>
  /** Calls reserved so far for the turn that comes next. */
  callsOfNextTurn: number
  /** The call that was under way when its session was lost. */
  openCall: { turn: number; call: number; generationId: string | undefined } | undefined
  ended: 'completed' | 'failed' | undefined
}

/** Reads the events of an attempt, in order, into where its session stands. */
export function transcriptOf(events: RunEvent[]): Transcript {
  const transcript: Transcript = {
    messages: [],
    prompt: 0,
    starts: [],
    counted: undefined,
    wroteFile: false,
    turns: 0,
    openCalls: [],
    startedCalls: new Set(),
    toolUse: new Map(),
    overruns: 0,
    callsOfNextTurn: 0,
    calling: callingAtFirst(),
    openCall: undefined,
    repairs: 0,
    tokens: 0,
    ended: undefined,
  }
  for (const event of events) take(transcript, event)
  return transcript
}

function take(transcript: Transcript, { type, turn = 0, data }: RunEvent): void {
  followCalls(transcript.calling, { type, data })
  switch (type) {
    case 'turn.started':
      if (Array.isArray(data.messages)) {
        transcript.messages.push(...(data.messages as Message[]))
        transcript.prompt = transcript.messages.length
      }
      break
    case 'call.reserved':
      transcript.callsOfNextTurn = Number(data.call)
      transcript.openCall = { turn, call: Number(data.call), generationId: undefined }
      break
    case 'call.started':
      if (transcript.openCall) transcript.openCall.generationId = String(data.generationId)
      break
    case 'call.settled':
    case 'call.lost':
      transcript.openCall = undefined
      break
    case 'turn.completed': {
      const said = data as unknown as TurnData
      transcript.turns = turn
      transcript.callsOfNextTurn = 0
      transcript.openCalls = [...said.toolCalls]
      transcript.startedCalls.clear()
      transcript.tokens += said.tokens
      tellSaid(transcript, turn, said)
      break
    }
    case 'tool.started':
      transcript.startedCalls.add(String(data.id))
      break
    case 'tool.completed':
    case 'tool.denied': {
      const result = data as unknown as ToolData
      if (type === 'tool.denied') countOverrun(transcript, result)
      else transcript.toolUse.set(result.name, (transcript.toolUse.get(result.name) ?? 0) + 1)
      transcript.openCalls = transcript.openCalls.filter(({ id }) => id !== result.id)
      transcript.messages.push(toolMessage(result))
      break
    }
    case 'artifact.rejected':
      transcript.repairs += 1
      if (typeof data.ask === 'string') transcript.messages.push({ role: 'user', content: data.ask })
      break
    case 'context.compacted':
      followCompaction(transcript, data)
      break
    case 'phase.completed':
      transcript.ended = 'completed'
      break
    case 'phase.failed':
      transcript.ended = 'failed'
      break
  }
}

/** The code of a call that is one too many for its tool. */
export const QUOTA_EXCEEDED = 'tool_quota_exceeded'

/** Counts a denied call that was one too many for its tool. */
export function countOverrun(transcript: Transcript, { code }: ToolData): void {
  if (code === QUOTA_EXCEEDED) transcript.overruns += 1
}

/** A turn's answer joins the conversation. */
export function tellSaid(transcript: Transcript, turn: number, said: TurnData): void {
  transcript.starts.push({ turn, at: transcript.messages.length })
  transcript.messages.push(assistantMessage(said))
  transcript.counted =
    said.tokens > 0 ? { tokens: said.tokens, messages: transcript.messages.length } : undefined
}

function assistantMessage({ content, toolCalls, reasoning }: TurnData): Message {
  return { role: 'assistant', content, toolCalls, ...(reasoning === undefined ? {} : { reasoning }) }
}

export function toolMessage({ id, name, content }: ToolData): Message {
  return { role: 'tool', toolCallId: id, name, content }
}
