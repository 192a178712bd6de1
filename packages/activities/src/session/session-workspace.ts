import { firstWorkspaceCommit, patiently } from '@devflow/db'
import { closeWorkspace, openWorkspace, type WorkspaceOwner } from '../workspace/index.ts'
import type { Session } from './session.ts'

/**
 * The clone this epoch works in (I13: a working directory belongs to one epoch). Every phase of a run sees the commit
 * that the first one saw, though the branch may have moved since.
 */
export async function openSessionWorkspace({
  deps,
  place,
  epoch,
  progress,
}: Session): Promise<{ root: string; commit: string } | undefined> {
  if (!progress.workspace) return undefined
  const pinned = await patiently(() => firstWorkspaceCommit(deps.pool, place.runId))
  const { repo, base } = progress.workspace
  return await openWorkspace({
    repo,
    base: pinned ?? base,
    roots: deps.workspaceRoots,
    ...owner({ deps, place, epoch }),
  })
}

/** The clone is not needed any more, however the delivery ended. What a crash leaves goes with the run's end. */
export async function closeSessionWorkspace(session: Session): Promise<void> {
  await closeWorkspace(owner(session))
}

function owner({ deps, place, epoch }: Pick<Session, 'deps' | 'place' | 'epoch'>): WorkspaceOwner {
  return { dataDir: deps.dataDir, runId: place.runId, phase: place.phase, attempt: place.attempt, epoch }
}
