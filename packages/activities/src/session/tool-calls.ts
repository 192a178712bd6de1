import type { EventLine } from '@devflow/db'
import type { ToolCall } from '../models/model.ts'
import { runTool, type ToolResult } from '../tools/index.ts'
import { eventAt } from './place.ts'
import type { Session } from './session.ts'
import { type ToolData, type Transcript, toolMessage } from './transcript.ts'

/** Tool calls under way, one after the other, in the order the model made them. */
export interface RunningTools {
  /** Results that are there and were not taken yet, in order. */
  readonly results: { data: ToolData; denied: boolean }[]
  readonly done: Promise<void>
}

/** Starts the tools a turn asked for. They only read: that a tool is run again after a crash harms nobody. */
export function startTools(session: Session, calls: ToolCall[]): RunningTools {
  const results: RunningTools['results'] = []
  const run = async () => {
    for (const call of calls) {
      if (session.stop.reason) return
      const { ok, content, denied = false } = await runOne(session, call)
      results.push({ data: session.deps.scrub({ id: call.id, name: call.name, ok, content }), denied })
    }
  }
  return { results, done: run() }
}

/** The lines of results that are there and were not taken before; their messages join the transcript. */
export function takeResults(
  { place }: Session,
  transcript: Transcript,
  turn: number,
  tools: RunningTools,
): EventLine[] {
  return tools.results.splice(0).map(({ data, denied }) => {
    transcript.messages.push(toolMessage(data))
    return eventAt(
      place,
      denied ? 'tool.denied' : 'tool.completed',
      `tool/${data.id}/completed`,
      { ...data, bytes: Buffer.byteLength(data.content) },
      turn,
    )
  })
}

/** Writes results as they come; the next reservation follows the last of them in the same group. */
export async function recordTools(
  session: Session,
  transcript: Transcript,
  turn: number,
  tools: RunningTools,
): Promise<void> {
  const write = () => {
    for (const line of takeResults(session, transcript, turn, tools))
      session.post([line], () => session.deps.reach('after-tool'))
  }
  write()
  await tools.done
  write()
  transcript.openCalls = []
}

async function runOne({ tools, root, stop }: Session, call: ToolCall): Promise<ToolResult> {
  if (!tools.some(({ name }) => name === call.name)) {
    const names = tools.map(({ name }) => name).join(', ') || 'none'
    return { ok: false, denied: true, content: `There is no tool \`${call.name}\` here. Tools: ${names}.` }
  }
  if (root === undefined) {
    return { ok: false, denied: true, content: 'This run has no workspace: there are no files to look at.' }
  }
  return await runTool(call, { root, signal: stop.signal })
}
