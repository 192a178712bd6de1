import type { EventLine } from '@devflow/db'
import type { ToolCall } from '../models/model.ts'
import { effectsOf, refused, runTool, type ToolContext, type ToolResult } from '../tools/index.ts'
import type { DeliveryEnd } from './delivery-end.ts'
import { eventAt } from './place.ts'
import type { Session } from './session.ts'
import { takeSnapshot } from './snapshots.ts'
import type { StopReason } from './stop.ts'
import { type AtWork, askAll } from './subagents/ask.ts'
import type { Reply } from './subagents/order.ts'
import { REQUEST_SUBAGENT } from './subagents/spec.ts'
import { overQuota } from './tool-quota.ts'
import { countOverrun, type ToolData, type Transcript, toolMessage } from './transcript.ts'

interface Result {
  data: ToolData
  denied: boolean
}

/** Results that go on record together, with the snapshot of the files that holds what they tell of. */
interface Batch {
  results: Result[]
  snapshot?: EventLine | undefined
}

/** Tool calls under way, one after the other, in the order the model made them. */
export interface RunningTools {
  /** What is there and was not taken yet, in order. */
  readonly batches: Batch[]
  readonly done: Promise<void>
  /** Called when there is more. */
  onBatch: () => void
  /** An agent that was asked for help could not go on: neither can this session now. */
  end?: DeliveryEnd
}

const UNKNOWN =
  'This call was started, and then the worker it ran on was lost: its outcome is not known, and what it changed may be missing. It was not run again. Look at how things are before you go on.'

/** Why a call that was started was ended in the middle. Nothing may be written by a session that lost its place. */
const STOPPED: Record<Exclude<StopReason, 'fenced'>, string> = {
  canceled: 'Killed with all its processes in the middle: the run was canceled.',
  timeout: 'Killed with all its processes in the middle: the phase ran out of time.',
  over: 'Killed with all its processes in the middle: the phase is over.',
  shutdown: 'Killed with all its processes in the middle: the worker shut down. It was not run again.',
}

/**
 * Starts the tools a turn asked for; `posted` settles once the turn's lines are on their way, so that what is appended
 * next is on record after them. Those that only read, or write files of the workspace alone, are run again after a crash.
 * What goes beyond that has a line before it and one after (I3): started and without a result, it is not run again, and
 * the model is told.
 */
export function startTools(
  session: Session,
  transcript: Transcript,
  turn: number,
  calls: ToolCall[],
  posted: Promise<unknown> = Promise.resolve(),
): RunningTools {
  const tools: RunningTools = { batches: [], done: Promise.resolve(), onBatch: () => {} }
  // Results of calls that may have changed files, and of those after them: on record once a snapshot is.
  let held: Result[] = []
  let wrote: string[] = []
  const give = (batch: Batch) => {
    tools.batches.push(batch)
    tools.onBatch()
  }
  const release = async () => {
    const last = held.at(-1)
    if (!last) return
    give({ results: held, snapshot: await takeSnapshot(session, turn, last.data.id, wrote) })
    held = []
    wrote = []
  }
  let helpers: AtWork | undefined
  const askFor = async (call: ToolCall): Promise<Reply> => {
    if (!helpers) {
      // They begin with what is on record: with this turn, and with the files as they are now.
      await release()
      await posted
      await session.settled()
      helpers = askAll(session, transcript, turn, calls)
    }
    return await helpers.reply(call.id)
  }
  const resultOf = async (call: ToolCall): Promise<ToolResult | undefined> => {
    if (call.name === REQUEST_SUBAGENT && session.tools.some(({ name }) => name === call.name)) {
      const reply = await askFor(call)
      if ('result' in reply) return reply.result
      tools.end = reply.end
      return undefined
    }
    // What this one changes is not for those to see who are at work.
    await helpers?.over
    if (transcript.startedCalls.has(call.id)) return { ok: false, content: UNKNOWN, code: 'outcome_unknown' }
    return overQuota(session, transcript, call.name) ?? (await runOne(session, turn, call, posted))
  }
  const run = async () => {
    for (const call of calls) {
      if (session.stop.reason) return
      const result = await resultOf(call)
      if (!result) return
      const {
        denied = false,
        content,
        bytes = Buffer.byteLength(content),
        wrote: files = [],
        ...rest
      } = result
      if (!denied) transcript.toolUse.set(call.name, (transcript.toolUse.get(call.name) ?? 0) + 1)
      const data: ToolData = { id: call.id, name: call.name, ...rest, content, bytes }
      const told = { data: session.deps.scrub(data), denied }
      const effects = denied ? undefined : effectsOf(call.name)
      if (effects) session.deps.reach('after-effect')
      if (!effects && held.length === 0) give({ results: [told] })
      else held.push(told)
      wrote.push(...files)
      // What went beyond the workspace cannot be done again: its result waits for nothing (I3).
      if (effects === 'external') await release()
    }
    await release()
  }
  const done = run().finally(() => helpers?.over)
  done.catch(() => {}) // Told to whoever waits for it.
  return Object.assign(tools, { done })
}

/** The lines of each batch that is there and was not taken before; its messages join the transcript. */
export function takeResults(
  { place }: Session,
  transcript: Transcript,
  turn: number,
  tools: RunningTools,
): EventLine[][] {
  return tools.batches.splice(0).map(({ results, snapshot }) => {
    const lines = results.map(({ data, denied }) => {
      transcript.messages.push(toolMessage(data))
      if (denied) countOverrun(transcript, data)
      const type = denied ? 'tool.denied' : 'tool.completed'
      return eventAt(place, type, `tool/${data.id}/completed`, { ...data }, turn)
    })
    return snapshot ? [snapshot, ...lines] : lines
  })
}

/** Writes results as they come; the next reservation follows the last of them in the same group. Answers an end where nothing may follow. */
export async function recordTools(
  session: Session,
  transcript: Transcript,
  turn: number,
  tools: RunningTools,
): Promise<DeliveryEnd | undefined> {
  const write = () => {
    for (const lines of takeResults(session, transcript, turn, tools))
      session.post(lines, () => session.deps.reach('after-tool'))
  }
  tools.onBatch = write
  write()
  await tools.done
  transcript.openCalls = []
  // Whatever stops a session is said by itself.
  return session.stop.reason ? undefined : tools.end
}

async function runOne(
  session: Session,
  turn: number,
  call: ToolCall,
  posted: Promise<unknown>,
): Promise<ToolResult | undefined> {
  const { place, tools, stop } = session
  if (!tools.some(({ name }) => name === call.name)) {
    if (call.name === REQUEST_SUBAGENT && session.asked)
      return refused(
        'subagent_depth_exceeded',
        'You were asked for help yourself and may not ask others. Do it yourself.',
      )
    const names = tools.map(({ name }) => name).join(', ') || 'none'
    return { ok: false, denied: true, content: `There is no tool \`${call.name}\` here. Tools: ${names}.` }
  }
  const run = runnerOf(session, call)
  if (!run) {
    return { ok: false, denied: true, content: 'This run has no workspace: there are no files to look at.' }
  }
  let isUnderWay = false
  const starting = async (facts: Record<string, unknown> = {}) => {
    await posted
    stop.signal.throwIfAborted()
    const { id, name } = call
    await session.append([eventAt(place, 'tool.started', `tool/${id}/started`, { id, name, ...facts }, turn)])
    // Another session may have taken over meanwhile, and may run it.
    stop.signal.throwIfAborted()
    isUnderWay = true
  }
  try {
    return await run(starting)
  } catch (error) {
    const { reason } = stop
    if (!reason) throw error
    return isUnderWay && reason !== 'fenced'
      ? { ok: false, content: STOPPED[reason], code: 'command_stopped' }
      : undefined
  }
}

/** What runs a call: a server, or a tool of ours, which needs a workspace. */
function runnerOf(
  { deps, root, stop, persona, servers }: Session,
  call: ToolCall,
): ((starting: ToolContext['starting']) => Promise<ToolResult>) | undefined {
  const { signal } = stop
  if (servers?.has(call.name)) return (starting) => servers.run(call, { signal, starting })
  if (root === undefined) return undefined
  const context = { root, signal, commands: persona.commands, sandbox: deps.sandbox }
  return (starting) => runTool(call, { ...context, starting })
}
