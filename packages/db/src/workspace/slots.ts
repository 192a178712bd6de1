import { DevflowError, type Workspace } from '@devflow/contracts'
import type { Queryable } from '../read/queryable.ts'

/**
 * Takes the slot of a run's repository and base where its workspace is exclusive; to be called in the transaction that
 * makes or revives the run. The slot is the run's until it is over. Throws CONFLICT `workspace_busy` naming the holder.
 */
export async function takeSlot(db: Queryable, run: string): Promise<void> {
  const { rows } = await db.query<{ holder: string | null }>({
    name: 'take-slot',
    text: 'select devflow.take_slot($1) as holder',
    values: [run],
  })
  const holder = rows[0]?.holder
  if (holder) throw workspaceBusy(holder)
}

/** Throws what `takeSlot` would throw for a run of this workspace, and takes nothing. */
export async function lookAtSlot(
  db: Queryable,
  tenant: string,
  { repo, base = 'HEAD', exclusive }: Workspace,
): Promise<void> {
  if (!exclusive) return
  const { rows } = await db.query<{ holder: string }>({
    name: 'look-at-slot',
    text: `select s.run_id as holder from devflow.workspace_slots s join devflow.run_heads h on h.run_id = s.run_id and h.control <> 'over'
           where s.tenant = $1 and s.repo = $2 and s.base = $3`,
    values: [tenant, repo, base],
  })
  const holder = rows[0]?.holder
  if (holder) throw workspaceBusy(holder)
}

export function workspaceBusy(holder: string): DevflowError {
  return new DevflowError(
    'CONFLICT',
    'workspace_busy',
    `Run ${holder} works on this repository and base, and holds it until it is over: wait for it, or cancel it.`,
    { errors: [{ path: 'workspace.exclusive', message: `is held by run ${holder}` }] },
  )
}
