import { firstWorkspaceCommit, patiently } from '@devflow/db'
import { closeWorkspace, openWorkspace, type WorkspaceOwner } from '../workspace/index.ts'
import type { Session } from './session.ts'
import { type Files, snapshotsFor } from './snapshots.ts'

/**
 * The clone this epoch works in (I13: a working directory belongs to one epoch), with the files as the phases before it,
 * and this one so far, have left them. Every phase of a run builds on the commit that the first one saw, though the
 * branch may have moved since.
 */
export async function openSessionWorkspace(
  { deps, place, epoch, progress }: Session,
  lines: readonly string[],
): Promise<{ root: string; commit: string; files: Files } | undefined> {
  if (!progress.workspace) return undefined
  const restore = await snapshotsFor(deps, place, lines)
  const pinned = await patiently(() => firstWorkspaceCommit(deps.pool, place.runId))
  const { repo, base } = progress.workspace
  const { root, commit, tree } = await openWorkspace({
    repo,
    base: pinned ?? base,
    roots: deps.workspaceRoots,
    restore,
    ...owner({ deps, place, epoch }),
  })
  return { root, commit, files: { tree, base: commit, lines, links: restore.links } }
}

/** The clone is not needed any more, however the delivery ended. What a crash leaves goes with the run's end. */
export async function closeSessionWorkspace(session: Session): Promise<void> {
  await closeWorkspace(owner(session))
}

function owner({ deps, place, epoch }: Pick<Session, 'deps' | 'place' | 'epoch'>): WorkspaceOwner {
  return { dataDir: deps.dataDir, runId: place.runId, phase: place.phase, attempt: place.attempt, epoch }
}
