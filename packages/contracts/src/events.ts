import { z } from 'zod'
import { RunId } from './ids.ts'

/** The format events of this build are written in; readers read all older ones. */
export const EVENT_FORMAT = 1

/** Types that may appear on a run. Readers ignore what they do not know. */
export const EVENT_TYPES = [
  'run.submitted',
  'run.started',
  'run.waiting',
  'run.pausing',
  'run.paused',
  'run.resumed',
  'run.canceling',
  'run.retried',
  'run.woken',
  'run.completed',
  'run.failed',
  'run.canceled',
  'phase.started',
  'phase.completed',
  'phase.failed',
  'phase.skipped',
  'phase.retried',
  'phase.expanded',
  'turn.started',
  'turn.completed',
  'turn.failed',
  'tool.called',
  'tool.started',
  'tool.completed',
  'tool.denied',
  'artifact.proposed',
  'artifact.rejected',
  'artifact.accepted',
  'gate.opened',
  'gate.decided',
  'gate.escalated',
  'gate.expired',
  'gate.reminded',
  'gate.delegated',
  'gate.refused',
  'gate.changes_requested',
  'gate.closed',
  'wait.opened',
  'wait.closed',
  'signal.received',
  'session.resumed',
  'function.started',
  'function.completed',
  'compensation.started',
  'compensation.completed',
  'compensation.failed',
  'subagent.started',
  'subagent.completed',
  'context.compacted',
  'child.started',
  'child.waiting',
  'child.resumed',
  'child.completed',
  'call.reserved',
  'call.started',
  'call.settled',
  'call.lost',
  'call.reconciled',
  'budget.warned',
  'model.fallback',
  'budget.exceeded',
  'budget.raised',
  'workspace.pinned',
  'workspace.prepared',
  'workspace.snapshot',
  'report.written',
] as const
export const EventType = z.enum(EVENT_TYPES)
export type EventType = z.infer<typeof EventType>

/** The last event of a run's round; only `call.reconciled` may follow, or `run.retried` open the next. */
export const TERMINAL_EVENTS: readonly EventType[] = ['run.completed', 'run.failed', 'run.canceled']

/** An immutable record in the run log. */
export const RunEvent = z.object({
  runId: RunId,
  seq: z.int(),
  type: z.string(),
  at: z.iso.datetime(),
  phase: z.string().optional(),
  attempt: z.int().optional(),
  turn: z.int().optional(),
  key: z.string(),
  data: z.record(z.string(), z.json()),
})
export type RunEvent = z.infer<typeof RunEvent>

export const CHUNK_KINDS = ['token', 'thinking', 'tool_use', 'done'] as const
export const ChunkKind = z.enum(CHUNK_KINDS)
export type ChunkKind = z.infer<typeof ChunkKind>

/** A piece of streamed model output, in the run's sequence. */
export const RunChunk = z.object({
  runId: RunId,
  seq: z.int(),
  at: z.iso.datetime(),
  phase: z.string(),
  attempt: z.int(),
  turn: z.int(),
  session: z.string(),
  delivery: z.int(),
  kind: ChunkKind,
  text: z.string().optional(),
})
export type RunChunk = z.infer<typeof RunChunk>

/** All chunks of that turn with a seq below `fromSeq` are void. */
export const ChunkReset = RunChunk.omit({ kind: true, text: true }).extend({ fromSeq: z.int() })
export type ChunkReset = z.infer<typeof ChunkReset>
