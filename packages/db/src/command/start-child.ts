import type { ChildDefinition } from '@devflow/contracts'
import type pg from 'pg'
import type { Submitted } from './submit-run.ts'

/**
 * Starts the run of a workflow phase, keyed by the phase's attempt: asked again, it finds the one it made. False when
 * another execution has the parent, or it is to go no further.
 */
export async function startChild(
  pool: pg.Pool,
  start: {
    run: string
    epoch: number
    phase: string
    attempt: number
    /** A new UUIDv7. */
    child: string
    definition: ChildDefinition['definition']
    submitted: Submitted
  },
): Promise<boolean> {
  const { run, epoch, phase, attempt, child, definition, submitted } = start
  const { rows } = await pool.query<{ started: boolean }>({
    name: 'start-child',
    text: 'select devflow.start_child($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb) as started',
    values: [
      run,
      epoch,
      phase,
      attempt,
      child,
      submitted.definitionHash,
      JSON.stringify(definition),
      JSON.stringify(submitted),
    ],
  })
  return rows[0]?.started ?? false
}
