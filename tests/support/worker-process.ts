import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../apps/worker/src/main.ts', import.meta.url))

/** The real worker, as a process of its own. */
export interface WorkerProcess {
  readonly pid: number
  /** What it has logged so far. */
  printed(): string
  /** Ends it in good order. */
  stop(): Promise<void>
  /** kill -9, and waits for the end. */
  kill(): Promise<void>
}

/** Starts a worker and waits until it says that it is ready. Rejects with what it printed when it ends before. */
export async function startWorker(env: Record<string, string>): Promise<WorkerProcess> {
  const child = fork(MAIN, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let printed = ''
  const print = (text: Buffer) => {
    printed += text
  }
  child.stdout?.on('data', print)
  child.stderr?.on('data', print)
  const exited = once(child, 'exit')
  const ready = new Promise<void>((resolve, reject) => {
    child.on('message', (message: { type?: unknown }) => {
      if (message.type === 'ready') resolve()
    })
    void exited.then(() => reject(new Error(`the worker ended before it was ready:\n${printed}`)))
  })
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await exited
  }
  await ready
  return {
    pid: child.pid ?? 0,
    printed: () => printed,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}
