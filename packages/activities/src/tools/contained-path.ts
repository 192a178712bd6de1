import { constants } from 'node:fs'
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { WORKSPACE } from '../sandbox/index.ts'
import { isGitName } from './git-name.ts'
import { Denied, Refused } from './tool.ts'

/** A path proven to lie inside the workspace. */
export interface ContainedPath {
  /** With every link resolved. */
  real: string
  /** As it is shown: from the root, with `/`; `.` for the root itself. */
  shown: string
}

/**
 * Resolves a path a model gave. Throws `Denied` for what leads outside, through links too, or into `.git`, and
 * `Refused` for what does not exist. Nothing of what lies outside shows in the answer, not even whether it exists.
 */
export async function containedPath(root: string, path: string): Promise<ContainedPath> {
  const top = await realpath(root)
  const lexical = lexicalPath(root, top, path)
  const real = await realpathWithin(top, resolve(top, lexical), path)
  refuseGit(relative(top, real), path)
  return { real, shown: shownPath(lexical) }
}

/**
 * Where a path leads from the root by its words alone, '' for the root itself. `top` is the real path of `root`. Throws
 * `Denied` for what leads outside or into `.git`.
 */
export function lexicalPath(root: string, top: string, path: string): string {
  if (path.includes('\0')) throw new Denied('the path holds a NUL character')
  // As commands in the sandbox name it, and models after them.
  if (path === WORKSPACE || path.startsWith(`${WORKSPACE}/`))
    return lexicalPath(root, top, `.${path.slice(WORKSPACE.length)}`)
  const wanted = isAbsolute(path) ? resolve(path) : resolve(top, path)
  const lexical = inside(top, wanted) ?? (isAbsolute(path) ? inside(resolve(root), wanted) : undefined)
  if (lexical === undefined)
    throw new Denied(`"${path}" is outside the workspace; paths are relative to its root`)
  refuseGit(lexical, path)
  return lexical
}

export const shownPath = (path: string): string => (path === '' ? '.' : path.split(sep).join('/'))

/** The path from `top`, or undefined when it leads out. */
function inside(top: string, path: string): string | undefined {
  const way = relative(top, path)
  return way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way) ? undefined : way
}

/** Git's own files hold remotes and, at times, credentials. */
function refuseGit(way: string, path: string): void {
  if (way.split(sep).some(isGitName)) throw new Denied(`"${path}" is part of git's own files`)
}

async function realpathWithin(top: string, path: string, given: string): Promise<string> {
  const found = await realpath(path).catch(missing)
  if (found !== undefined) {
    if (inside(top, found) === undefined)
      throw new Denied(`"${given}" is a link that leads outside the workspace`)
    return found
  }
  // It does not exist; where the deepest part that does exist leads decides what may be said.
  for (let parent = dirname(path); inside(top, parent) !== undefined; parent = dirname(parent)) {
    const real = await realpath(parent).catch(missing)
    if (real === undefined) continue
    if (inside(top, real) === undefined)
      throw new Denied(`"${given}" goes through a link that leads outside the workspace`)
    break
  }
  throw new Refused(`"${given}" does not exist`)
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  if (error.code === 'ELOOP') throw new Refused('the path is a link that leads back to itself')
  if (error.code === 'ENAMETOOLONG') throw new Refused('the path is too long')
  throw error
}

/**
 * Opens a regular file for reading. Pipes, sockets and devices are refused without waiting on them; a file with a second
 * name is denied, since that may lie outside the workspace.
 */
export async function openRegular(path: ContainedPath): Promise<FileHandle> {
  const file = await open(path.real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENXIO') throw new Refused(`"${path.shown}" is no regular file`)
      throw error
    },
  )
  const stat = await file.stat()
  const isSame = await leadsTo(file, path.real)
  if (isSame && stat.isFile() && stat.nlink <= 1) return file
  await file.close()
  if (!isSame) throw new Denied(`"${path.shown}" became another file while it was opened`)
  if (stat.isFile()) throw new Denied(`"${path.shown}" has a second name elsewhere (a hard link)`)
  throw new Refused(
    stat.isDirectory()
      ? `"${path.shown}" is a directory; list_dir shows what is in it`
      : `"${path.shown}" is no regular file`,
  )
}

/**
 * Whether what was opened is what was proven to lie inside: a folder on the way may have become a link in between. Linux
 * tells; elsewhere nothing does.
 */
async function leadsTo(file: FileHandle, real: string): Promise<boolean> {
  const opened = await readlink(`/proc/self/fd/${file.fd}`).catch(() => real)
  return opened === real
}
