import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Identity } from './identity.ts'
import type { CommandLimits } from './limits.ts'
import { SETTINGS, systemMounts } from './system-mounts.ts'

/** Where a command finds its working directory, whatever its name is outside. */
export const WORKSPACE = '/workspace'
const TOOLCHAIN = '/opt/devflow/bin'

/** File descriptors that bubblewrap reads, and the last it writes, beside the three of the command. */
export const FD = { seccomp: 3, passwd: 4, group: 5, args: 6, info: 7 } as const

export interface Box {
  /** The working directory outside; without one the command gets an empty one that is gone with it. */
  root: string | undefined
  isReadOnly: boolean
  identity: Identity
  limits: CommandLimits
  network: boolean
  /** Shown at their own paths. */
  readOnly: readonly string[]
  writable?: readonly string[]
  /** Node's own program. */
  node: string
  /** Set beside what every command has. */
  env: Readonly<Record<string, string>>
  hasFilter: boolean
}

/**
 * The options that put a command into namespaces of its own, where it sees what is named here and nothing else. They go
 * by a descriptor: the command line of a process, with all variables that are set, can be read by anybody.
 */
export function bubblewrapArguments(box: Box): string[] {
  const { limits, root } = box
  return [
    '--die-with-parent',
    '--new-session',
    ...namespaces(box),
    '--clearenv',
    ...Object.entries({ ...environment(), ...box.env }).flatMap(([name, value]) => ['--setenv', name, value]),
    ...openFolders([`${TOOLCHAIN}/node`, ...SETTINGS.map((name) => join('/etc', name))]),
    ...systemMounts(),
    ...['--ro-bind', box.node, `${TOOLCHAIN}/node`],
    ...['--perms', '0444', '--ro-bind-data', String(FD.passwd), '/etc/passwd'],
    ...['--perms', '0444', '--ro-bind-data', String(FD.group), '/etc/group'],
    ...(box.network ? NETWORK_SETTINGS : []),
    ...['--proc', '/proc', '--dev', '/dev', '--remount-ro', '/dev'],
    ...memoryDisk('/dev/shm', limits.tmpBytes),
    ...memoryDisk('/tmp', limits.tmpBytes),
    // Last: some may lie below /tmp.
    ...openFolders([...box.readOnly, ...(box.writable ?? [])]),
    ...box.readOnly.flatMap((path) => ['--ro-bind', path, path]),
    ...(box.writable ?? []).flatMap((path) => ['--bind', path, path]),
    ...(root === undefined ? memoryDisk(WORKSPACE, limits.tmpBytes) : workspaceMounts(root, box.isReadOnly)),
    ...['--remount-ro', '/'],
    ...['--chdir', WORKSPACE],
    ...(box.hasFilter ? ['--seccomp', String(FD.seccomp)] : []),
    ...['--info-fd', String(FD.info)],
  ]
}

/** The command as it is started inside: under its limits, and as a user who has no rights. */
export function wrappedArgv(argv: readonly string[], identity: Identity, limits: CommandLimits): string[] {
  return [...limited(limits), ...(identity.drops ? asUser(identity.uid) : []), ...argv]
}

/** The folders above what is mounted: bubblewrap would make them for their owner alone, and that is not the command. */
function openFolders(paths: readonly string[]): string[] {
  const folders = new Set<string>()
  for (const path of paths)
    for (
      let folder = dirname(path);
      !['/', '/tmp'].includes(folder) && !folder.startsWith('/usr');
      folder = dirname(folder)
    )
      folders.add(folder)
  return [...folders].sort().flatMap((folder) => ['--perms', '0755', '--dir', folder])
}

/** `/etc/passwd` and `/etc/group` with one user, for programs that ask who they are. */
export function accounts({ uid }: Identity): { passwd: string; group: string } {
  return { passwd: `agent:x:${uid}:${uid}:agent:/tmp:/bin/sh\n`, group: `agent:x:${uid}:\n` }
}

const NETWORK_SETTINGS = ['resolv.conf', 'hosts'].flatMap((name) => [
  '--ro-bind-try',
  `/etc/${name}`,
  `/etc/${name}`,
])

function namespaces({ identity, network }: Box): string[] {
  const common = ['--unshare-ipc', '--unshare-pid', '--unshare-uts', '--unshare-cgroup-try']
  const net = network ? [] : ['--unshare-net']
  const name = ['--hostname', 'sandbox']
  // Root has what it takes to make the namespaces, and keeps, until `setpriv`, only what it takes to become another.
  const user = identity.drops
    ? ['--cap-drop', 'ALL', ...CAPABILITIES_TO_DROP_ROOT.flatMap((name) => ['--cap-add', name])]
    : ['--unshare-user', '--disable-userns', '--uid', `${identity.uid}`, '--gid', `${identity.uid}`]
  return [...common, ...net, ...name, ...user]
}

/** The third is for entering a working directory that only its new owner may enter. */
const CAPABILITIES_TO_DROP_ROOT = ['CAP_SETUID', 'CAP_SETGID', 'CAP_DAC_READ_SEARCH', 'CAP_SETPCAP']

const memoryDisk = (path: string, bytes: number): string[] => [
  ...['--perms', '1777', '--size', String(bytes)],
  ...['--tmpfs', path],
]

/**
 * The directory can be written, git's own files in it only be read: hooks, configuration and attributes that our own git
 * would obey, and objects, which are hard links to the mirror's.
 */
function workspaceMounts(root: string, isReadOnly: boolean): string[] {
  const git = join(root, '.git')
  if (!statSync(git, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`${root} is no clone: commands run in clones only`)
  if (isReadOnly) return ['--ro-bind', root, WORKSPACE]
  return ['--bind', root, WORKSPACE, '--ro-bind', git, join(WORKSPACE, '.git')]
}

/** What a program such as Node reserves of writable memory and does not use. */
const RESERVED_BYTES = 1024 * 1024 * 1024

function limited({ memoryBytes, processes, openFiles, fileBytes }: CommandLimits): string[] {
  return [
    '/usr/bin/prlimit',
    `--data=${memoryBytes + RESERVED_BYTES}`,
    `--nproc=${processes}`,
    `--nofile=${openFiles}`,
    `--fsize=${fileBytes}`,
    '--core=0',
    '--memlock=65536',
    '--msgqueue=65536',
    '--',
    // What fills the memory all the same is the first that the kernel ends, before anything of ours.
    ...['/usr/bin/choom', '-n', '1000', '--'],
  ]
}

const asUser = (uid: number): string[] => [
  '/usr/bin/setpriv',
  `--reuid=${uid}`,
  `--regid=${uid}`,
  '--clear-groups',
  '--inh-caps=-all',
  '--ambient-caps=-all',
  '--bounding-set=-all',
  '--no-new-privs',
  '--',
]

/** Nothing of the worker's environment is in it. */
export function environment(): Record<string, string> {
  return {
    PATH: `${TOOLCHAIN}:/usr/local/bin:/usr/bin:/bin`,
    HOME: '/tmp',
    TMPDIR: '/tmp',
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    NO_COLOR: '1',
    CI: '1',
    PAGER: 'cat',
    GIT_PAGER: 'cat',
    GIT_TERMINAL_PROMPT: '0',
    // Git's files cannot be written, not even its index; and they belong to the worker.
    GIT_OPTIONAL_LOCKS: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: '*',
  }
}
