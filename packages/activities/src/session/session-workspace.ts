import { firstWorkspaceCommit, patiently } from '@devflow/db'
import {
  closeWorkspace,
  type OpenWorkspace,
  openWorkspace,
  resolveBase,
  type WorkspaceOwner,
} from '../workspace/index.ts'
import type { Files } from './files.ts'
import { linesOf } from './lines.ts'
import { prepare } from './prepare-workspace.ts'
import type { Session } from './session.ts'
import { snapshotsFor } from './snapshots.ts'

/**
 * The clone this epoch works in (I13: a working directory belongs to one epoch), with the files as the phases before it,
 * and this one so far, have left them. Every phase of a run builds on the commit that the first one saw, though the
 * branch may have moved since.
 */
export async function openSessionWorkspace(
  session: Session,
): Promise<{ root: string; commit: string; files: Files } | undefined> {
  const { deps, place, progress, node, at } = session
  if (!progress.workspace) return undefined
  const { repo } = progress.workspace
  const lines = linesOf(node, at.position)
  const restore = await snapshotsFor(deps, place, lines)
  const base = await pinnedBase(session, lines.length > 1)
  const open = (owner: WorkspaceOwner, more: object = {}): Promise<OpenWorkspace> =>
    openWorkspace({ repo, base, roots: deps.workspaceRoots, ...owner, ...more })
  const opened = await open(ownerOf(session), { restore })
  await prepare(session, opened, open)
  const { root, commit, tree } = opened
  return { root, commit, files: { tree, base: commit, lines, links: restore.links } }
}

/** What `base` names for this run: phases that begin side by side agree on it before any of them has. */
async function pinnedBase(session: Session, isForked: boolean): Promise<string | undefined> {
  const { deps, place, progress } = session
  const { repo = '', base } = progress.workspace ?? {}
  const pinned = () => patiently(() => firstWorkspaceCommit(deps.pool, place.runId))
  const known = await pinned()
  if (known !== undefined || !isForked) return known ?? base
  const { dataDir, workspaceRoots: roots } = deps
  const { commit } = await resolveBase({ repo, base, roots, dataDir })
  const key = 'workspace/pinned'
  await session.append([{ type: 'workspace.pinned', key, data: { workspace: { repo, commit } } }])
  return (await pinned()) ?? commit
}

/** The clone is not needed any more, however the delivery ended. What a crash leaves goes with the next sweep. */
export async function closeSessionWorkspace(session: Session): Promise<void> {
  await closeWorkspace(ownerOf(session))
}

function ownerOf({ deps, place, epoch }: Pick<Session, 'deps' | 'place' | 'epoch'>): WorkspaceOwner {
  return { dataDir: deps.dataDir, runId: place.runId, phase: place.phase, attempt: place.attempt, epoch }
}
