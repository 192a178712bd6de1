import type { Definition, RunCompensation } from '@devflow/contracts'
import { type Compensation, type Progress, readCompensations, toCompensate } from '@devflow/db'
import { treeOf } from '@devflow/definition'
import type { Deps } from '../deps.ts'

/** Of what could not be undone the run itself tells so much; the rest is in its log and report. */
const MOST_TOLD = 20

/** The phases that say how to undo them. */
export function compensable(definition: Definition): string[] {
  const nodes = [...treeOf(definition.phases).nodes.values()]
  return nodes.filter(({ phase }) => phase.compensate !== undefined).map(({ name }) => name)
}

/** How far a run that did not complete has been undone. */
export interface Undoing {
  made: Compensation[]
  /** There is more to undo. */
  isLeft: boolean
}

/** What is undone of a run, and whether there is more. */
export async function undoingOf(deps: Deps, { runId }: Progress, definition: Definition): Promise<Undoing> {
  const names = compensable(definition)
  if (names.length === 0) return { made: [], isLeft: false }
  const made = await readCompensations(deps.pool, runId)
  return { made, isLeft: (await toCompensate(deps.pool, runId, names, 1)).length > 0 }
}

/** What a run says of it beside its error; undefined where nothing was to be undone. */
export function compensationDetail(made: readonly Compensation[]): RunCompensation | undefined {
  if (made.length === 0) return undefined
  const failed = made.filter(({ status }) => status === 'failed')
  return {
    completed: made.filter(({ status }) => status === 'completed').length,
    failed: failed.length,
    notUndone: failed
      .slice(0, MOST_TOLD)
      .flatMap(({ phase, function: name, error }) => (error ? [{ phase, function: name, error }] : [])),
  }
}
