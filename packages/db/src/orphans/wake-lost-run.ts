import type pg from 'pg'
import { transaction } from '../command/transaction.ts'

/** The execution that a run has lost, and what Temporal says of its end. */
export interface EndedExecution {
  /** Undefined: Temporal knows of none. */
  execution: string | undefined
  /** `terminated`, `failed`, `timed_out`, `canceled`, `completed`, or `missing`. */
  ended: string
  by?: string | undefined
  reason?: string | undefined
}

/**
 * Wakes a run whose workflow is gone, and puts on record, once for each execution that it has lost, how that ended. Whoever
 * looks at the same time finds that wake. False when it is over by now, or about to be woken.
 */
export async function wakeLostRun(
  pool: pg.Pool,
  run: string,
  { execution, ...end }: EndedExecution,
): Promise<boolean> {
  return await transaction(pool, async (client) => {
    const { rows } = await client.query<{ execution_epoch: number }>({
      name: 'lock-lost-run',
      text: `select execution_epoch from devflow.run_heads where run_id = $1 and control <> 'over' for no key update`,
      values: [run],
    })
    const [head] = rows
    if (!head) return false
    const key = `woken/${execution ?? `missing/${head.execution_epoch}`}`
    const data = { ...(execution === undefined ? {} : { execution }), ...end }
    await client.query({
      name: 'record-lost-run',
      text: 'select devflow.record($1, $2::jsonb)',
      values: [run, JSON.stringify([{ type: 'run.woken', key, data }])],
    })
    const { rowCount } = await client.query({
      name: 'wake-lost-run',
      text: 'select devflow.wake($1) where not exists (select 1 from devflow.outbox where run_id = $1)',
      values: [run],
    })
    return rowCount === 1
  })
}
