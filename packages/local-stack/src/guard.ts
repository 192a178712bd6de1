import { type ChildProcess, spawn } from 'node:child_process'
import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The one guard of this process; see guard-process.ts. */
let guard: ChildProcess | undefined
const watched = new Map<number, NodeJS.Signals>()

/** From now on `pid` gets `signal`, and after a grace SIGKILL, as soon as this process is gone, however it goes. */
export function watch(pid: number, signal: NodeJS.Signals): void {
  watched.set(pid, signal)
  guard ??= startGuard()
  tell(guard, `watch ${pid} ${signal}`)
}

/** `pid` has ended: its number may soon be another's. */
export function forget(pid: number): void {
  watched.delete(pid)
  if (guard) tell(guard, `forget ${pid}`)
}

function startGuard(): ChildProcess {
  // That of this process, without the subfolder of this version of Node. With it the guard starts for half.
  const compiled = getCompileCacheDir()
  const child = spawn(process.execPath, [fileURLToPath(new URL('./guard-process.ts', import.meta.url))], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // A group of its own: the terminal's Ctrl-C and a kill of our whole group do not reach it.
    detached: true,
    env: { NODE_NO_WARNINGS: '1', ...(compiled ? { NODE_COMPILE_CACHE: dirname(compiled) } : {}) },
  })
  child.unref()
  // EPIPE means the guard has died; `exit` below starts another.
  child.stdin?.on('error', () => {})
  child.on('error', () => {})
  child.on('exit', () => {
    guard = undefined
    for (const [pid, signal] of watched) watch(pid, signal)
  })
  return child
}

function tell(child: ChildProcess, line: string): void {
  child.stdin?.write(`${line}\n`)
}
