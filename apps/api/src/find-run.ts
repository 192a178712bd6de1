import { DevflowError, type Gate, RunId } from '@devflow/contracts'
import { type Head, isDeleted, type Queryable, readGate, readHeads } from '@devflow/db'

export function runNotFound(run: string): DevflowError {
  return new DevflowError('NOT_FOUND', 'run_not_found', `There is no run ${run.slice(0, 100)}.`)
}

/** The problems of an operation on a run. */
export const NO_RUN = ['run_not_found', 'run_deleted'] as const

/** The head of a run. Throws DevflowError NOT_FOUND `run_not_found`, or `run_deleted` where a tombstone is left. */
export async function findRun(db: Queryable, tenant: string, run: string): Promise<Head> {
  // Ids are opaque to clients: what is no id at all is the id of no run.
  if (!RunId.safeParse(run).success) throw runNotFound(run)
  const [head] = await readHeads(db, tenant, [run])
  if (head) return head
  if (await isDeleted(db, tenant, run)) {
    throw new DevflowError('NOT_FOUND', 'run_deleted', `Run ${run} was deleted.`)
  }
  throw runNotFound(run)
}

/** A gate of a run that exists. Throws DevflowError NOT_FOUND `gate_not_found`. */
export async function findGate(db: Queryable, run: string, gate: string): Promise<Gate> {
  const found = await readGate(db, run, gate)
  if (found) return found
  throw new DevflowError(
    'NOT_FOUND',
    'gate_not_found',
    `The run has no gate ${gate.slice(0, 100)}, or not yet.`,
  )
}
