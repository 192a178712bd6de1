import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ownEnv } from './own-env.ts'

/** An app as users run it, as a process of its own. */
export interface AppProcess {
  readonly pid: number
  /** Where it listens, if it does. */
  readonly port: number | undefined
  /** What it has logged so far. */
  printed(): string
  /** Ends it in good order. */
  stop(): Promise<void>
  /** kill -9, and waits for the end. */
  kill(): Promise<void>
}

/** Starts an app and waits until it says that it is ready. Rejects with what it printed when it ends before. */
export async function startApp(name: 'api' | 'worker', env: Record<string, string>): Promise<AppProcess> {
  const main = fileURLToPath(new URL(`../../apps/${name}/src/main.ts`, import.meta.url))
  const child = fork(main, {
    env: {
      ...ownEnv(),
      ...env,
    },
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
  const ready = new Promise<number | undefined>((resolve, reject) => {
    child.on('message', (message: { type?: unknown; port?: number }) => {
      if (message.type === 'ready') resolve(message.port)
    })
    void exited.then(() => reject(new Error(`the ${name} ended before it was ready:\n${printed}`)))
  })
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await exited
  }
  const port = await ready
  return {
    pid: child.pid ?? 0,
    port,
    printed: () => printed,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}
