import type { Definition, Directive, Phase } from '@devflow/contracts'
import type { EventLine, PhaseProgress, Progress } from '@devflow/db'
import type { PhaseNode } from '@devflow/definition'
import type { Deps } from '../deps.ts'
import { type View, viewOf } from '../scope/index.ts'

/** A step of a run as the log has it now, at the top or inside others. */
export interface Step {
  deps: Deps
  progress: Progress
  definition: Definition
  node: PhaseNode
  phase: Phase
  at: PhaseProgress
}

/** Nothing to tell the workflow yet: the log has moved, look again. */
export const MOVED = 'moved'
/** What a step comes to: what to do now, lines to be written first, or something else to be looked at. */
export type Move = Directive | { lines: EventLine[] } | typeof MOVED

/** An event of this step's attempt, keyed by what it is. */
export function event(
  { deps, at }: Step,
  type: EventLine['type'],
  key: string,
  data: Record<string, unknown>,
): EventLine {
  return {
    type,
    key: `${at.id}/${at.attempt}/${key}`,
    phase: at.id,
    attempt: at.attempt,
    data: deps.scrub(data),
  }
}

/** What this step's expressions look from. */
export function viewFrom({ deps, progress, definition, node, at }: Step): View {
  return viewOf({ pool: deps.pool, progress, definition }, node, at.position)
}

/** However deep. */
export const isInside = (inner: PhaseProgress, outer: PhaseProgress): boolean =>
  outer.position.every((number, index) => inner.position[index] === number)

/** Appends as this workflow execution; false when another has the run: then the workflow leaves. */
export async function append({ deps, progress }: Step, lines: EventLine[]): Promise<boolean> {
  const { verdict } = await deps.writer.append({
    run: progress.runId,
    execution: progress.executionEpoch,
    lines,
  })
  return verdict === 'written' || verdict === 'duplicate'
}
