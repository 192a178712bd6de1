// Law: working directories of sessions. Reads the user's repositories, writes only below the data folder.
import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Git } from './git.ts'
import { Mirror } from './mirror.ts'
import { COMMIT, commitOf, sourceRepository } from './source-repository.ts'

/** The session that works there, and its epoch: a directory belongs to one epoch (I13). */
export interface WorkspaceOwner {
  dataDir: string
  runId: string
  phase: string
  attempt: number
  epoch: number
}

export interface WorkspaceSource {
  repo: string
  /** Commit, branch or tag; default: the repository's HEAD. */
  base?: string | undefined
  /** Folders under which repositories may lie. */
  roots: readonly string[]
}

/**
 * Clones the repository at `base` into a directory of this owner's, detached, without hooks, filters or any
 * configuration but our own, and returns it with the commit. Asked again, the same owner gets the same directory as it
 * is. With a full commit name whose mirror is there the repository need not have that commit any more. Errors:
 * PERMISSION_DENIED `workspace_outside_roots`; INVALID `not_a_repository`, `unknown_base`, `empty_repository`;
 * UNAVAILABLE `git_missing`; INTERNAL `git_failed`.
 */
export async function openWorkspace(
  asked: WorkspaceSource & WorkspaceOwner,
): Promise<{ root: string; commit: string }> {
  const git = await Git.at(asked.dataDir)
  const repository = await sourceRepository(git, asked.repo, asked.roots)
  const mirror = new Mirror(git, asked.dataDir, repository)
  const { base } = asked
  const pinned = base !== undefined && COMMIT.test(base) && (await mirror.holds(base)) ? base : undefined
  const commit = pinned ?? (await commitOf(git, repository, base))

  const root = workspacePath(asked)
  if (await exists(root)) return { root, commit: await git.run(root, ['rev-parse', 'HEAD']) }
  await mirror.hold(repository, commit)
  const draft = join(dirname(root), `.draft-${randomUUID()}`)
  try {
    await mkdir(dirname(root), { recursive: true })
    // Objects are hard links to the mirror's, which only grows: a clone costs its files and nothing else.
    await git.run(dirname(root), [
      'clone',
      '--quiet',
      '--local',
      '--no-checkout',
      '--no-tags',
      mirror.path,
      draft,
    ])
    await git.run(draft, ['remote', 'remove', 'origin'])
    // git clones a shallow repository over its protocol, and no branch of the mirror's asks for our commit.
    if (await exists(join(mirror.path, 'shallow')))
      await git.run(draft, ['fetch', '--quiet', '--no-tags', '--update-shallow', mirror.path, commit])
    await git.run(draft, ['checkout', '--quiet', '--force', '--detach', commit])
    await rename(draft, root)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return { root, commit }
}

/** The commit that a submission pins: what `base`, or HEAD, names now. Errors as for `openWorkspace`. */
export async function resolveBase(
  asked: WorkspaceSource & { dataDir: string },
): Promise<{ repository: string; commit: string }> {
  const git = await Git.at(asked.dataDir)
  const repository = await sourceRepository(git, asked.repo, asked.roots)
  return { repository, commit: await commitOf(git, repository, asked.base) }
}

/** Removes the directory of one owner. None there is fine. */
export async function closeWorkspace(owner: WorkspaceOwner): Promise<void> {
  const root = workspacePath(owner)
  await rm(root, { recursive: true, force: true })
  await rmdir(dirname(root)).catch((error: NodeJS.ErrnoException) => {
    // Others of the run still work there, or there was nothing.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST' && error.code !== 'ENOENT') throw error
  })
}

/** Removes every directory of a run, those of sessions that crashed too. The mirror stays. */
export const closeRunWorkspaces = ({
  dataDir,
  runId,
}: Pick<WorkspaceOwner, 'dataDir' | 'runId'>): Promise<void> =>
  rm(runPath(dataDir, runId), { recursive: true, force: true })

const runPath = (dataDir: string, runId: string): string =>
  join(dataDir, 'workspaces', `${encodeURIComponent(runId)}`)

const workspacePath = ({ dataDir, runId, phase, attempt, epoch }: WorkspaceOwner): string =>
  join(runPath(dataDir, runId), `${encodeURIComponent(phase)}-${attempt}-${epoch}`)

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
