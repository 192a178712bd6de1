import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../apps/api/src/main.ts', import.meta.url))

/** The real API, as a process of its own. */
export interface ApiProcess {
  readonly url: string
  /** What it has logged so far. */
  printed(): string
  /** Calls it; a body is sent as JSON. */
  call(path: string, init?: { body?: unknown; headers?: Record<string, string> }): Promise<Response>
  /** Ends it in good order. */
  stop(): Promise<void>
}

/** Starts an API and waits until it listens. Rejects with what it printed when it ends before. */
export async function startApi(env: Record<string, string>): Promise<ApiProcess> {
  const child = fork(MAIN, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, DEVFLOW_PORT: '0', ...env },
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
  const ready = once(child, 'message') as Promise<[{ port: number }]>
  const [{ port }] = await Promise.race([
    ready,
    exited.then(() => Promise.reject(new Error(`the API ended before it was ready:\n${printed}`))),
  ])
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    printed: () => printed,
    call: (path, { body, headers } = {}) =>
      fetch(
        `${url}${path}`,
        body === undefined
          ? { headers: headers ?? {} }
          : {
              method: 'POST',
              headers: { 'content-type': 'application/json', ...headers },
              body: JSON.stringify(body),
            },
      ),
    stop: async () => {
      child.kill('SIGTERM')
      await exited
    },
  }
}
