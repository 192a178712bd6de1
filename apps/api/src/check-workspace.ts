import { readFile, realpath, stat } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { allowedRepositoryUrl, DevflowError, isRepositoryUrl, type Workspace } from '@devflow/contracts'

/**
 * A light look at a run's workspace before the run is taken; the worker looks again, at the base too. Answers it with the
 * repository's real path, so that a relative one means the same to every process, and where it is exclusive with the
 * branch it is to be held at: the one that is checked out, where none is named. Throws
 * DevflowError PERMISSION_DENIED `workspace_outside_roots`, INVALID `not_a_repository`.
 */
export async function checkWorkspace(asked: Workspace, roots: readonly string[]): Promise<Workspace> {
  const { repo } = asked
  const errors = (message: string) => [{ path: 'workspace.repo', message }]
  if (isRepositoryUrl(repo)) {
    const url = allowedRepositoryUrl(repo, roots)
    if (url !== undefined) return { ...asked, repo: url }
    const message = 'Runs may not name that address: the operator allows addresses in DEVFLOW_WORKSPACE_URLS.'
    throw new DevflowError('PERMISSION_DENIED', 'workspace_outside_roots', message, {
      errors: errors('is not among the allowed addresses'),
    })
  }
  const place = await realPathOf(repo)
  const allowed = (await Promise.all(roots.map(realPathOf))).filter((root) => root !== undefined)
  // What does not exist is told apart from what is not allowed only under a root: elsewhere nothing is given away.
  if (!allowed.some((root) => isUnder(place ?? repo, root))) {
    const message = `The repository ${repo} lies outside the folders the API was told of (DEVFLOW_WORKSPACE_ROOTS).`
    throw new DevflowError('PERMISSION_DENIED', 'workspace_outside_roots', message, {
      errors: errors('lies outside the workspace roots'),
    })
  }
  if (place === undefined || !(await isRepository(place))) {
    const message = `${repo} is not a git repository.`
    throw new DevflowError('INVALID', 'not_a_repository', message, {
      errors: errors('is not a git repository'),
    })
  }
  if (!asked.exclusive) return { ...asked, repo: place }
  const base = asked.base === undefined || asked.base === 'HEAD' ? await branchOf(place) : asked.base
  return {
    ...asked,
    repo: place,
    ...(base === undefined ? {} : { base: base.replace(/^refs\/heads\//, '') }),
  }
}

/** The branch a repository stands at; undefined where it stands at a commit. */
async function branchOf(repo: string): Promise<string | undefined> {
  const own = join(repo, '.git')
  // In a worktree `.git` is a file that says where the folder is.
  const gitFolder = await readFile(own, 'utf8').then(
    (text) => resolve(repo, text.replace(/^gitdir: /, '').trim()),
    async () => ((await exists(own)) ? own : repo),
  )
  const head = await readFile(join(gitFolder, 'HEAD'), 'utf8').catch(() => '')
  return /^ref: (\S+)/.exec(head)?.[1]
}

/** A work tree (`.git` is a folder or, in a worktree, a file) or a bare repository. */
async function isRepository(folder: string): Promise<boolean> {
  if (await exists(join(folder, '.git'))) return true
  return (await exists(join(folder, 'HEAD'))) && (await exists(join(folder, 'objects')))
}

function isUnder(place: string, root: string): boolean {
  const way = relative(root, place)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !way.startsWith(sep))
}

async function realPathOf(path: string): Promise<string | undefined> {
  try {
    return await realpath(path)
  } catch {
    // It does not exist, or may not be read: either way there is no such place for us.
    return undefined
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch {
    return false
  }
}
