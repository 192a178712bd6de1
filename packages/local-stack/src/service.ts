import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { forget, watch } from './guard.ts'
import { openLog } from './log-file.ts'
import { signalIfAlive } from './processes.ts'

export interface ServiceOptions {
  command: string
  args: readonly string[]
  env: NodeJS.ProcessEnv
  cwd?: string
  /** stdout and stderr are appended here. */
  logFile: string
  /** What asks it to end in good order. */
  stopSignal: NodeJS.Signals
  uid?: number
  gid?: number
  /** Opens an IPC channel and hears what comes on it; for Node processes of ours. */
  onMessage?(message: unknown): void
}

/** A process that serves us. It ends when this process ends, by kill -9 too. */
export interface Service {
  readonly pid: number
  /** Settles when it has ended, for whatever reason, with a sentence saying how. */
  readonly exited: Promise<string>
  /** What it has printed since it was started: of much, the beginning, which often names the cause, and the end. */
  printed(): string
  /** Sends over the IPC channel; does nothing without one or when it is closed. */
  send(message: object): void
  /** Ends it in good order, after `graceMs` (10,000 unless told) by kill -9. */
  stop(graceMs?: number): Promise<void>
  /** kill -9, and waits for the end. */
  kill(): Promise<void>
}

/** Starts it; rejects when it cannot be started at all. Whether it serves is for the caller to find out. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const log = openLog(options.logFile)
  const start = fstatSync(log).size
  const child = spawn(options.command, [...options.args], {
    env: options.env,
    cwd: options.cwd,
    uid: options.uid,
    gid: options.gid,
    stdio: ['ignore', log, log, ...(options.onMessage ? (['ipc'] as const) : [])],
    // A group of its own: the terminal's Ctrl-C is for the supervisor, which ends the parts in their order.
    detached: true,
  })
  closeSync(log)
  const { pid } = child
  if (pid === undefined) {
    const [error] = await once(child, 'error')
    throw error
  }
  watch(pid, options.stopSignal)
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      forget(pid)
      resolve(signal ? `killed by ${signal}` : `ended with exit code ${code}`)
    })
  })
  if (options.onMessage) child.on('message', options.onMessage)
  else child.unref()
  const end = async (signal: NodeJS.Signals) => {
    child.ref()
    if (child.exitCode === null && child.signalCode === null) signalIfAlive(pid, signal)
    await exited
  }
  return {
    pid,
    exited,
    printed: () => beginningAndEnd(readFileSync(options.logFile).subarray(start).toString().trim()),
    // A send that fails means that it is ending: `exited` tells.
    send: (message) => {
      if (child.connected) child.send(message, () => {})
    },
    kill: () => end('SIGKILL'),
    stop: async (graceMs = 10_000) => {
      const cutOff = new AbortController()
      const grace = sleep(graceMs, undefined, { signal: cutOff.signal }).then(
        () => end('SIGKILL'),
        () => {},
      )
      await Promise.race([end(options.stopSignal), grace])
      cutOff.abort()
    },
  }
}

const SHOWN = 2_000

const beginningAndEnd = (text: string): string =>
  text.length <= 2 * SHOWN ? text : `${text.slice(0, SHOWN)}\n…\n${text.slice(-SHOWN)}`
