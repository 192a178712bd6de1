// Law: working directories of sessions. Reads the user's repositories, writes only below the data folder.
import { randomUUID } from 'node:crypto'
import { copyFile, mkdir, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Git } from './git.ts'
import { Mirror } from './mirror.ts'
import { linkObjects, makeRepository } from './new-repository.ts'
import { type Link, ObjectStore } from './object-store.ts'
import { COMMIT, commitOf, sourceRepository } from './source-repository.ts'
import { indexOf, Tree } from './tree.ts'

export { type Branch, mergeBranches } from './merge.ts'
export type { Link, ObjectStore } from './object-store.ts'
export type { Tree } from './tree.ts'

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

/** Snapshots to put on top of the base: links of a chain, first to last, and where their bytes are. */
export interface Restore {
  chain: readonly Link[]
  load(sha256: string, file: string): Promise<void>
}

/** A directory to work in. */
export interface OpenWorkspace {
  root: string
  /** The commit of the repository it was made from. */
  commit: string
  tree: Tree
}

/**
 * Clones the repository at `base` into a directory of this owner's, detached, without hooks, filters or any
 * configuration but our own, with the files of the last snapshot of `restore`, if any. Asked again, the same owner gets
 * the same directory as it is. With a full commit name whose mirror is there the repository need not have that commit
 * any more. Errors: PERMISSION_DENIED `workspace_outside_roots`; INVALID `not_a_repository`, `unknown_base`,
 * `empty_repository`; UNAVAILABLE `git_missing`; INTERNAL `git_failed`.
 */
export async function openWorkspace(
  asked: WorkspaceSource & WorkspaceOwner & { restore?: Restore | undefined },
): Promise<OpenWorkspace> {
  const { git, mirror, commit, repository } = await sourceOf(asked)
  const root = workspacePath(asked)
  if (await exists(root)) {
    const store = new ObjectStore(git, storePath(root))
    return { root, commit, tree: new Tree(store, root, await store.head()) }
  }
  await mirror.hold(repository, commit)
  const draft = join(dirname(root), `.draft-${randomUUID()}-${basename(root)}`)
  try {
    await mkdir(dirname(root), { recursive: true })
    const store = await ObjectStore.make(git, storePath(root), mirror.path, commit)
    const { chain, load } = asked.restore ?? { chain: [], load: async () => {} }
    await store.restore(chain, load)
    const head = chain.at(-1)?.commit ?? commit
    await cloneEmpty(git, mirror, commit, draft)
    await new Tree(store, draft, head).checkOut()
    // The one who works there sees what was changed since the commit of the repository.
    await copyFile(indexOf(store), join(draft, '.git/index'))
    if (head !== commit) await git.run(draft, ['read-tree', '--reset', commit])
    await rename(draft, root)
    return { root, commit, tree: new Tree(store, root, head) }
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** A repository at `draft` that holds the commit as its detached head, and no files yet. */
async function cloneEmpty(git: Git, mirror: Mirror, commit: string, draft: string): Promise<void> {
  const inside = await makeRepository(git, draft, { mirror: mirror.path, commit, isBare: false })
  await linkObjects(join(mirror.path, 'objects'), join(inside, 'objects'))
  await writeFile(join(inside, 'HEAD'), `${commit}\n`)
}

/** A store without a working directory, as a join of branches needs one; the caller closes it. Errors as for `openWorkspace`. */
export async function openStore(
  asked: WorkspaceSource & { dataDir: string; runId: string },
): Promise<{ store: ObjectStore; commit: string; close: () => Promise<void> }> {
  const { git, mirror, commit, repository } = await sourceOf(asked)
  await mirror.hold(repository, commit)
  const path = join(runPath(asked.dataDir, asked.runId), `.join-${randomUUID()}.git`)
  const store = await ObjectStore.make(git, path, mirror.path, commit)
  return { store, commit, close: () => rm(path, { recursive: true, force: true }) }
}

async function sourceOf({ dataDir, repo, roots, base }: WorkspaceSource & { dataDir: string }) {
  const git = await Git.at(dataDir)
  const repository = await sourceRepository(git, repo, roots)
  const mirror = new Mirror(git, dataDir, repository)
  const pinned = base !== undefined && COMMIT.test(base) && (await mirror.holds(base)) ? base : undefined
  return { git, mirror, repository, commit: pinned ?? (await commitOf(git, repository, base)) }
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
export function closeWorkspace(owner: WorkspaceOwner): Promise<void> {
  const root = workspacePath(owner)
  return removeWorkspaces(owner, [root, storePath(root)])
}

type RunOwner = Pick<WorkspaceOwner, 'dataDir' | 'runId'>

/**
 * Paths of what lies there of a run by now, of sessions that crashed too. To be asked before the run is over and removed
 * afterwards: what a retry opens meanwhile is not among them.
 */
export async function runWorkspaces({ dataDir, runId }: RunOwner): Promise<string[]> {
  const folder = runPath(dataDir, runId)
  return (await namesIn(folder)).map((name) => join(folder, name))
}

/** What lies in a folder; nothing where there is none. */
export async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return []
  })
}

/** Removes these of a run's directories, and its folder once nothing else is in it. None there is fine. */
export async function removeWorkspaces(
  { dataDir, runId }: RunOwner,
  paths: readonly string[],
): Promise<void> {
  for (const path of paths) await rm(path, { recursive: true, force: true })
  await rmdir(runPath(dataDir, runId)).catch((error: NodeJS.ErrnoException) => {
    // Others of the run still work there, or there was nothing.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST' && error.code !== 'ENOENT') throw error
  })
}

const runPath = (dataDir: string, runId: string): string =>
  join(dataDir, 'workspaces', `${encodeURIComponent(runId)}`)

const workspacePath = ({ dataDir, runId, phase, attempt, epoch }: WorkspaceOwner): string =>
  join(runPath(dataDir, runId), `${encodeURIComponent(phase)}-${attempt}-${epoch}`)

/** Where a working directory's files are committed: beside it, where nobody who works in it comes. */
const storePath = (root: string): string => `${root}.git`

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
