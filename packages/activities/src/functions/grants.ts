import { realpathSync, statSync } from 'node:fs'
import { type BoundFunction, DevflowError } from '@devflow/contracts'
import { type Identity, identityFor, type Sandbox } from '../sandbox/index.ts'

/** What an operator keeps from every function, whatever it declares. */
export interface Withheld {
  /** Variables of the worker's own: where its database is, its keys. */
  env: ReadonlySet<string>
  /** Folders that hold what Devflow lives by. */
  folders: readonly string[]
}

/** What a function's process is given of the world. */
export interface Grants {
  env: Record<string, string>
  /** As they are on this machine, links followed. */
  read: string[]
  write: string[]
  net: readonly string[]
  identity: Identity
}

/** Node, the loader and the shell obey these; the sandbox's own are no one's to name. */
const STEERING = /^(NODE_|LD_|DYLD_|BASH_ENV$|ENV$|IFS$|PATH$)/
const SYSTEM = ['/proc', '/sys', '/dev']

/** Throws INVALID `function_not_permitted` for what no function gets, or is not there. */
export function grantsOf(
  { id, hash, permissions }: BoundFunction,
  {
    withheld,
    environment,
    sandbox,
  }: { withheld: Withheld; environment: NodeJS.ProcessEnv; sandbox: Sandbox },
): Grants {
  const refuse = (reason: string) =>
    new DevflowError('INVALID', 'function_not_permitted', `The function ${id} cannot run here: ${reason}.`)
  const env: Record<string, string> = {}
  for (const name of permissions.env) {
    if (withheld.env.has(name) || STEERING.test(name))
      throw refuse(`no function is given the variable ${name}`)
    const value = environment[name]
    if (value === undefined) throw refuse(`the worker has no variable ${name}`)
    env[name] = value
  }
  const isBoxed = sandbox.confinement.kind === 'bubblewrap'
  const place = (path: string): string => {
    const real = existing(path)
    if (real === undefined)
      throw refuse(`there is no ${path}: what a function reads and writes has to be there`)
    if ([...SYSTEM, ...withheld.folders].some((folder) => touches(real, folder)))
      throw refuse(`no function is given ${path}`)
    // Node follows links out of a folder it allows; only in a sandbox there is nothing there.
    if (!isBoxed && statSync(real).isDirectory())
      throw refuse(
        `${path} is a folder, which is safe in bubblewrap only; name its files, or install bubblewrap`,
      )
    return real
  }
  const read = permissions.read.map(place)
  const write = permissions.write.map(place)
  return { env, read, write, net: permissions.net, identity: identityOf(hash, read, write) }
}

function existing(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined // Not there, or in a folder that is not ours to enter.
  }
}

/** One lies in the other: what holds a withheld folder would show it. */
const touches = (path: string, folder: string): boolean =>
  path === '/' || `${path}/`.startsWith(`${folder}/`) || `${folder}/`.startsWith(`${path}/`)

/**
 * A user of its own; one that owns what the function may touch where others may not. Never more than that: it has no
 * capabilities, and sees nothing else.
 */
function identityOf(hash: string, read: readonly string[], write: readonly string[]): Identity {
  const own = identityFor(`function ${hash}`)
  if (!own.drops) return own
  const owners = new Set<number>()
  for (const path of read) if ((statSync(path).mode & 0o004) === 0) owners.add(statSync(path).uid)
  for (const path of write) if ((statSync(path).mode & 0o002) === 0) owners.add(statSync(path).uid)
  if (owners.size === 0) return own
  const [owner = 0, ...others] = owners
  return { drops: true, uid: others.length === 0 ? owner : 0 }
}
