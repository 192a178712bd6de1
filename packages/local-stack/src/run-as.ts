import { chownSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'
import { DevflowError } from '@devflow/contracts'
import { findOnPath } from './find-on-path.ts'

/** Postgres refuses to run as root. This is nobody, on every system: no user has to be made. */
const NOBODY = 65534

/** How to start Postgres' programs: as ourselves, or as nobody when we are root. */
export interface RunAs {
  uid?: number
  gid?: number
  /** What goes before the command. */
  prefix: readonly string[]
  /** What goes before the programs that make a cluster, which want to know their user's name. */
  prefixNamed: readonly string[]
  /** Gives a file or folder to the user Postgres runs as. */
  give(path: string): void
}

/** `paths`: what Postgres has to reach, its programs and its data folder's parent. */
export function runAs(paths: readonly string[], pathVariable: string): RunAs {
  if (process.getuid?.() !== 0) return { prefix: [], prefixNamed: namingPrefix(pathVariable), give: () => {} }
  const give = (path: string) => chownSync(path, NOBODY, NOBODY)
  const closed = paths.flatMap((path) => closedParents(path))[0]
  if (closed === undefined) return { uid: NOBODY, gid: NOBODY, prefix: [], prefixNamed: [], give }
  // A home folder of mode 0700 is in the way, as it is for root in most containers. Postgres checks its user only, so
  // nobody with the right to pass through folders will do.
  const setpriv = findOnPath('setpriv', pathVariable)
  if (!setpriv) {
    throw new DevflowError(
      'UNAVAILABLE',
      'folder_closed',
      `as root, Postgres runs as nobody, who cannot enter ${closed}: install setpriv (util-linux), run as another user, or move the checkout and --data to a folder everyone may enter`,
    )
  }
  const rights = '-all,+dac_override'
  const prefix = [
    setpriv,
    `--reuid=${NOBODY}`,
    `--regid=${NOBODY}`,
    '--clear-groups',
    // Without it the kernel leaves these rights out of access(2), by which Postgres looks for its programs.
    '--securebits=+no_setuid_fixup',
    `--inh-caps=${rights}`,
    `--ambient-caps=${rights}`,
    `--bounding-set=${rights}`,
    '--no-new-privs',
    '--',
  ]
  return { prefix, prefixNamed: prefix, give }
}

/**
 * What goes before a command that wants to know its user's name. In a container the user may be a bare number; in a user
 * namespace of its own that number is nobody's, who has a name everywhere.
 */
export function namingPrefix(pathVariable: string): string[] {
  try {
    userInfo()
    return []
  } catch {
    const unshare = findOnPath('unshare', pathVariable)
    return unshare ? [unshare, '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--'] : []
  }
}

/** The folders above and at `path` that others may not enter. */
function closedParents(path: string): string[] {
  const parent = dirname(path)
  const above = parent === path ? [] : closedParents(parent)
  return (statSync(path).mode & 0o001) === 0 ? [...above, path] : above
}
