import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, realpath, rename, unlink } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { lexicalPath, shownPath } from './contained-path.ts'
import { Denied, Refused } from './tool.ts'

/** A file that may be written: proven to lie in the workspace, with nothing but real directories on the way. */
export interface WritablePath {
  top: string
  /** From the root of the workspace. */
  way: string
  shown: string
  /** What is there now: a regular file with no other name, or nothing. */
  exists: boolean
}

/** Names that a file system cuts, splits or gives to a device: what is written under them would lie elsewhere. */
const ODD_NAME = /[\\:\p{Cc}]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/iu

/**
 * Resolves a path a model wants to write. Throws `Denied` for what leads outside, goes through or onto a link, is a file
 * with a second name elsewhere, a device, or git's own; `Refused` for a directory.
 */
export async function writablePath(root: string, path: string): Promise<WritablePath> {
  const top = await realpath(root)
  const way = lexicalPath(root, top, path)
  if (way === '') throw new Refused(`"${path}" is the root of the workspace, no file`)
  const names = way.split(sep)
  const odd = names.find((name) => ODD_NAME.test(name))
  if (odd !== undefined)
    throw new Denied(`"${path}" holds the name "${odd}", which not every file system keeps as it is`)
  if (/[/\\]$/.test(path)) throw new Refused(`"${path}" names a directory`)
  const shown = shownPath(way)
  for (let depth = 1; depth < names.length; depth += 1) {
    const stat = await lstat(join(top, ...names.slice(0, depth))).catch(nothing)
    if (stat === undefined) break
    const at = shownPath(names.slice(0, depth).join(sep))
    if (stat.isSymbolicLink())
      throw new Denied(`"${at}" is a link; files are written without following links`)
    if (!stat.isDirectory()) throw new Refused(`"${at}" is no directory`)
  }
  const stat = await lstat(join(top, way)).catch(nothing)
  if (stat?.isDirectory()) throw new Refused(`"${shown}" is a directory`)
  if (stat?.isSymbolicLink())
    throw new Denied(`"${shown}" is a link; files are written without following links`)
  if (stat && !stat.isFile()) throw new Denied(`"${shown}" is no regular file`)
  if (stat && stat.nlink > 1) throw new Denied(`"${shown}" has a second name elsewhere (a hard link)`)
  return { top, way, shown, exists: stat !== undefined }
}

/**
 * Puts a file in its place whole or not at all, with the mode of the one that was there. A directory that turns into a
 * link meanwhile is found out: the new file is made in the directory as it was opened.
 */
export async function writeWhole({ top, way, shown }: WritablePath, content: Buffer): Promise<void> {
  const folder = dirname(way) === '.' ? [] : dirname(way).split(sep)
  for (let depth = 1; depth <= folder.length; depth += 1)
    await mkdir(join(top, ...folder.slice(0, depth))).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  const place = join(top, ...folder)
  await using handle = await open(place, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  const held = heldPath(handle, place)
  if ((await realpath(held)) !== place) throw new Denied(`"${shown}" goes through a link`)
  const name = way.slice(way.lastIndexOf(sep) + 1)
  const draft = join(held, `.devflow-draft-${process.pid}-${Math.random().toString(36).slice(2)}`)
  const before = await lstat(join(held, name)).catch(nothing)
  const mode = before?.isFile() ? before.mode & 0o777 : 0o644
  try {
    await using file = await open(draft, 'wx', mode)
    await file.writeFile(content)
    await file.chmod(mode)
    await rename(draft, join(held, name))
  } catch (error) {
    await unlink(draft).catch(nothing)
    throw error
  }
}

/** The directory as it was opened, whatever its path leads to by now; where there is no such way, its path. */
const heldPath = (handle: FileHandle, path: string): string =>
  process.platform === 'linux' ? `/proc/self/fd/${handle.fd}` : path

function nothing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  if (error.code === 'ENAMETOOLONG') throw new Refused('the path is too long')
  throw error
}
