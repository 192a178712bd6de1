import { startApp } from './app-process.ts'

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
  const { port, printed, stop } = await startApp('api', { DEVFLOW_PORT: '0', ...env })
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    printed,
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
    stop,
  }
}
