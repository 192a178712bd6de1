import { realpath, stat } from 'node:fs/promises'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { allowedRepositoryUrl, DevflowError, isRepositoryUrl } from '@devflow/contracts'
import type { Git } from './git.ts'

/** Full name of a commit, SHA-1 or SHA-256. */
export const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

/**
 * The real path of a repository a person named, or its address where `roots` hold a pattern that allows it; relative paths
 * are taken from the first root. Throws
 * PERMISSION_DENIED `workspace_outside_roots` for what lies outside every root, through links too and whether it
 * exists or not, and INVALID `not_a_repository` for what is inside but no repository of its own.
 */
export async function sourceRepository(git: Git, repo: string, roots: readonly string[]): Promise<string> {
  const outside = (what: string) =>
    new DevflowError(
      'PERMISSION_DENIED',
      'workspace_outside_roots',
      `${what} lies outside the workspace roots`,
    )
  const notOne = (why: string) => new DevflowError('INVALID', 'not_a_repository', `"${repo}" ${why}`)
  if (isRepositoryUrl(repo)) {
    const url = allowedRepositoryUrl(repo, roots)
    if (url === undefined) throw outside('an address that is not among the allowed ones')
    return url
  }
  if (repo.includes('\0')) throw outside(`"${repo}"`)

  const reals = (await Promise.all(roots.map(realpathOrNothing))).filter((root) => root !== undefined)
  const within = (path: string, tops: readonly string[]) => tops.some((top) => contains(top, path))
  const path = isAbsolute(repo) ? resolve(repo) : resolve(roots[0] ?? '/', repo)
  const real = await realpathOrNothing(path)
  if (real === undefined)
    throw within(path, [...roots.map((root) => resolve(root)), ...reals])
      ? notOne('does not exist')
      : outside(`"${repo}"`)
  if (!within(real, reals)) throw outside(`"${repo}"`)

  if (!(await stat(real)).isDirectory()) throw notOne('is no directory')
  // Looking upwards would find a repository around the one that was named.
  const found = await git.try(real, ['rev-parse', '--git-common-dir'], { ceiling: dirname(real) })
  if (found.code !== 0) throw notOne('is no git repository')
  const common = await realpath(resolve(real, found.stdout.trim()))
  if (!within(common, reals)) throw outside(`the git folder of "${repo}"`)
  return real
}

/** Options that let git go to a repository elsewhere, and to no other place from there. */
export function wayTo(repository: string): string[] {
  if (!isRepositoryUrl(repository)) return []
  const scheme = repository.slice(0, repository.indexOf(':'))
  return ['-c', `protocol.${scheme}.allow=always`, '-c', 'http.followRedirects=false']
}

/** The commit that a name stands for in a repository elsewhere; a whole commit is taken as it is. */
async function commitElsewhere(git: Git, cwd: string, repository: string, base: string): Promise<string> {
  if (COMMIT.test(base)) return base
  const names =
    base === 'HEAD' ? ['HEAD'] : [`refs/tags/${base}^{}`, `refs/tags/${base}`, `refs/heads/${base}`, base]
  const { code, stdout, stderr } = await git.try(cwd, [
    ...wayTo(repository),
    ...['ls-remote', '--quiet', '--', repository, ...names],
  ])
  if (code !== 0)
    throw new DevflowError(
      'INTERNAL',
      'repository_unreachable',
      `The repository cannot be read: ${stderr.trim().slice(-500)}`,
    )
  const found = new Map(
    stdout.split('\n').map((line) => {
      const [commit = '', name = ''] = line.split('\t')
      return [name, commit] as const
    }),
  )
  const commit = names.map((name) => found.get(name)).find((each) => each !== undefined)
  if (commit !== undefined && COMMIT.test(commit)) return commit
  throw new DevflowError('INVALID', 'unknown_base', `the repository has no branch or tag "${base}"`)
}

/**
 * The commit that `base` names there, `HEAD` by default. Throws INVALID `unknown_base`, or `empty_repository` where
 * nothing has been committed, INTERNAL `repository_unreachable`.
 */
export async function commitOf(git: Git, repository: string, base = 'HEAD'): Promise<string> {
  if (isRepositoryUrl(repository)) return await commitElsewhere(git, git.home, repository, base)
  const named = base.startsWith('-')
    ? undefined
    : await git.try(repository, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${base}^{commit}`])
  const commit = named?.stdout.trim() ?? ''
  if (named?.code === 0 && COMMIT.test(commit)) return commit
  const refs = await git.run(repository, ['for-each-ref', '--count=1'])
  if (refs === '' && base === 'HEAD')
    throw new DevflowError('INVALID', 'empty_repository', 'the repository has no commit yet')
  throw new DevflowError('INVALID', 'unknown_base', `the repository has no commit, branch or tag "${base}"`)
}

function contains(top: string, path: string): boolean {
  const way = relative(top, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

async function realpathOrNothing(path: string): Promise<string | undefined> {
  try {
    return await realpath(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (
      code === 'ENOENT' ||
      code === 'ENOTDIR' ||
      code === 'ELOOP' ||
      code === 'ENAMETOOLONG' ||
      code === 'EACCES'
    )
      return undefined
    throw error
  }
}
