import type { BoundPersona } from '@devflow/contracts'
import PQueue from 'p-queue'
import type { ToolCall } from '../../models/model.ts'
import { failed, refused, type ToolResult } from '../../tools/index.ts'
import type { Session } from '../session.ts'
import { overQuota } from '../tool-quota.ts'
import type { Transcript } from '../transcript.ts'
import type { Order, Reply } from './order.ts'
import { askableBy, LONGEST_TASK, REQUEST_SUBAGENT, RequestArguments } from './spec.ts'

const DEFAULT_COUNT = 16
const DEFAULT_PARALLEL = 4

/** The agents that were asked for help in one turn, at work. */
export interface AtWork {
  /** What comes of a call; rejects with what no model can mend. */
  reply(call: string): Promise<Reply>
  /** Settles when none of them works any more, however they ended. */
  over: Promise<unknown>
}

/** Asks for all the help that a turn wants, some side by side; the turn is on record, and the last of the transcript. */
export function askAll(
  session: Session,
  transcript: Transcript,
  turn: number,
  open: readonly ToolCall[],
): AtWork {
  const said = transcript.messages.findLast((message) => message.role === 'assistant')
  const calls = said?.toolCalls ?? []
  const together = calls.filter(({ name }) => name === REQUEST_SUBAGENT).length
  const queue = new PQueue({ concurrency: session.persona.subagentLimits?.parallel ?? DEFAULT_PARALLEL })
  const replies = new Map<string, Promise<Reply>>()
  let more = 0
  for (const call of open.filter(({ name }) => name === REQUEST_SUBAGENT)) {
    const n = calls.findIndex(({ id }) => id === call.id) + 1
    const read = orderOf(session, transcript, call, more)
    if (!('denied' in read && read.denied)) more += 1
    const reply: Promise<Reply> =
      'persona' in read
        ? queue.add(() => session.runSubagent(session, { ...read, call: call.id, turn, n, together }))
        : Promise.resolve({ result: read })
    reply.catch(() => {}) // Told to whoever asks for it.
    replies.set(call.id, reply)
  }
  return {
    reply: (call) => replies.get(call) ?? Promise.reject(new Error(`nobody was asked by ${call}`)),
    over: Promise.allSettled(replies.values()),
  }
}

/** What a call wants, or why that is not to be had. `more`: calls of this turn that count already. */
function orderOf(
  session: Session,
  transcript: Transcript,
  call: ToolCall,
  more: number,
): Pick<Order, 'persona' | 'task'> | ToolResult {
  const over = overQuota(session, transcript, REQUEST_SUBAGENT, more)
  if (over) return over
  const count = session.persona.subagentLimits?.count ?? DEFAULT_COUNT
  if ((transcript.toolUse.get(REQUEST_SUBAGENT) ?? 0) + more >= count)
    return refused(
      'subagent_limit_exceeded',
      `You may ask for help ${count} times, and have. Go on without it.`,
    )
  const read = RequestArguments.safeParse(parsed(call.arguments))
  if (!read.success)
    return failed(
      `${REQUEST_SUBAGENT} takes {"persona": …, "task": …}, where task is a text of at most ${LONGEST_TASK} characters.`,
    )
  const { persona: name, task } = read.data
  const askable = askableBy(session.definition, session.persona)
  const persona = askable.get(name) ?? [...askable].find((one) => isNamed(one, name))?.[1]
  if (persona) return { persona, task }
  return refused(
    'unknown_subagent',
    `There is no agent ${name} to ask. Agents: ${[...askable.keys()].join(', ')}.`,
  )
}

/** A model may name a role's persona by its id, and leave the version out. */
const isNamed = ([key, { id }]: [string, BoundPersona], name: string): boolean =>
  [key, id].some((each) => each === name || each.split('@', 1)[0] === name)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
