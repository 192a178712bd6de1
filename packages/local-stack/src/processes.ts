import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** False for a zombie too: it holds nothing any more, and without an init process it stays for ever. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
  return process.platform !== 'linux' || !/^State:\s+Z/m.test(readProc(pid, 'status'))
}

/** Signals a process that may already be gone. */
export function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error
  }
}

/** The command line of a living process, empty when there is none. */
export function commandOf(pid: number): string {
  if (!isAlive(pid)) return ''
  if (process.platform === 'linux') return readProc(pid, 'cmdline').replaceAll('\0', ' ')
  return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? ''
}

/**
 * Ends a process that an earlier, killed owner left behind: asks, then kills. It is ours only if `mark`, a path no
 * other process has on its command line, is on its command line; another process under a reused number is left alone.
 */
export async function endOrphan(pid: number, mark: string, signal: NodeJS.Signals): Promise<void> {
  const isOurs = () => commandOf(pid).includes(mark)
  for (const [next, waitMs] of [
    [undefined, 1_000], // its guard may be ending it right now
    [signal, 8_000],
    ['SIGKILL', 5_000],
  ] as const) {
    if (!isOurs()) return
    if (next) signalIfAlive(pid, next)
    for (const until = performance.now() + waitMs; performance.now() < until && isOurs(); ) await sleep(20)
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    // Gone between two looks.
    return ''
  }
}
