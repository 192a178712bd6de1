import type { Definition, Directive, Phase } from '@devflow/contracts'
import type { EventLine, PhaseProgress, Progress } from '@devflow/db'
import type { Deps } from '../deps.ts'

/** A step of a run as the log has it now. */
export interface Step {
  deps: Deps
  progress: Progress
  definition: Definition
  phase: Phase
  at: PhaseProgress
}

/** Nothing to tell the workflow yet: the log has moved, look again. */
export const MOVED = 'moved'
export type Move = Directive | typeof MOVED

/** An event of this step's attempt, keyed by what it is. */
export function event(
  step: Step,
  type: EventLine['type'],
  key: string,
  data: Record<string, unknown>,
): EventLine {
  const { phase, at } = step
  return {
    type,
    key: `${phase.id}/${at.attempt}/${key}`,
    phase: phase.id,
    attempt: at.attempt,
    data: step.deps.scrub(data),
  }
}

/** Appends as this workflow execution; when another has the run, the workflow leaves. */
export async function append(step: Step, lines: EventLine[]): Promise<Move> {
  const { deps, progress } = step
  const { verdict } = await deps.writer.append({
    run: progress.runId,
    execution: progress.executionEpoch,
    lines,
  })
  return verdict === 'written' || verdict === 'duplicate' ? MOVED : { do: 'leave' }
}
