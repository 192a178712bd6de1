import type { Definition } from '@devflow/contracts'
import type { Queryable } from '../read/queryable.ts'
import { takeSlot } from '../workspace/index.ts'
import type { Submitted } from './submit-run.ts'

/**
 * `phase`, when it is done: where the fork begins, which is earlier than asked where what was done had been undone. When it
 * is `not_reached`: a phase before, which is not over. `compensating`: what was done is being undone.
 */
export type ForkAnswer =
  | { answer: 'done' | 'not_reached'; phase: string }
  | { answer: 'not_found' | 'unknown_phase' | 'compensating' }

/**
 * Makes a run, queued, that takes over what `source` has done before one of its top-level phases: its events, artifacts and
 * snapshots, at no cost. `run`: a new UUIDv7. Throws CONFLICT `workspace_busy` when another run has the exclusive
 * workspace that both have: then its transaction must be rolled back.
 */
export async function forkRun(
  db: Queryable,
  {
    source,
    fromPhase,
    run,
    definition,
    submitted,
  }: { source: string; fromPhase: string; run: string; definition: Definition; submitted: Submitted },
): Promise<ForkAnswer> {
  const { rows } = await db.query<{ answer: ForkAnswer }>({
    name: 'fork-run',
    text: 'select devflow.fork_run($1, $2, $3, $4, $5::jsonb, $6::jsonb) as answer',
    values: [
      source,
      fromPhase,
      run,
      submitted.definitionHash,
      JSON.stringify(definition),
      JSON.stringify(submitted),
    ],
  })
  const answer = rows[0]?.answer ?? { answer: 'not_found' }
  if (answer.answer === 'done' && submitted.workspace?.exclusive) await takeSlot(db, run)
  return answer
}
