import { spawnSync } from 'node:child_process'

/**
 * Whether bubblewrap works here. Tests of what it confines are skipped where it does not: there commands are denied, which
 * is tested everywhere.
 */
export const isSandboxed =
  spawnSync('bwrap', ['--unshare-all', '--ro-bind', '/', '/', 'true'], { stdio: 'ignore' }).status === 0
