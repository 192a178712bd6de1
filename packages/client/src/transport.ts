import { errorOfAnswer, jsonIn } from './answers.ts'
import { ConnectionError, DevflowError, invalid, TimeoutError, UnknownError } from './errors.ts'
import {
  type CallOptions,
  type ClientOptions,
  type PostOptions,
  type Settings,
  settingsOf,
  timerMs,
} from './options.ts'
import { delayBefore, isPassing, pause } from './retry.ts'

export interface Request extends CallOptions {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Under the base URL, with its query. */
  path: string
  /** As JSON. */
  body?: string
  headers?: Record<string, string>
  /** `Prefer: wait=N`; the try may take so much longer. */
  waitSeconds?: number
}

/** The header that asks for a list as CSV. */
export const CSV = { accept: 'text/csv' }

/** Requests with their retries. Each client has one. */
export class Transport {
  readonly settings: Settings

  constructor(options: ClientOptions) {
    this.settings = settingsOf(options)
  }

  /** The JSON answered. */
  async json<Body>(request: Request): Promise<Body> {
    return await this.send(request, async (response) => jsonIn(response, await response.text()) as Body)
  }

  /** A PUT: what it says is so however often it is sent. */
  async put<Body>(path: string, body: unknown, options?: CallOptions): Promise<Body> {
    return await this.json<Body>({ method: 'PUT', path, body: JSON.stringify(body), ...options })
  }

  async delete(path: string, options?: CallOptions): Promise<void> {
    await this.send({ method: 'DELETE', path, ...options }, (response) => response.text())
  }

  /** A POST under one Idempotency-Key, the same in each try. */
  async post<Body>(
    path: string,
    body: unknown,
    { idempotencyKey = randomKey(), ...options }: PostOptions & { waitSeconds?: number } = {},
  ): Promise<Body> {
    if (!/^[\x20-\x7e]{1,255}$/.test(idempotencyKey)) {
      const message = 'expected 1 to 255 printable ASCII characters'
      throw invalid('bad_idempotency_key', `idempotencyKey: ${message}.`, 'idempotencyKey', message)
    }
    const headers = { 'idempotency-key': idempotencyKey }
    const request = { method: 'POST', path, body: JSON.stringify(body), headers, ...options } as const
    return await this.json<Body>(request)
  }

  /** What `read` makes of the answer, which is read within the try: a body that breaks off is asked for again. */
  async send<Result>(request: Request, read: (response: Response) => Promise<Result>): Promise<Result> {
    const { retry, onRetry } = this.settings
    const { signal, retries = retry.retries } = request
    for (let tried = 0; ; tried++) {
      try {
        return await this.#try(request, read)
      } catch (error) {
        if (!isPassing(error, tried) || tried >= retries) throw error
        const delayMs = delayBefore(tried + 1, error, retry)
        if (delayMs === undefined) throw error
        onRetry({ retry: tried + 1, delayMs, error })
        await pause(delayMs, signal)
      }
    }
  }

  /** One try at a stream: its answer as soon as the headers are there. */
  async open(path: string, headers: Record<string, string>, stop: AbortController): Promise<Response> {
    const request: Request = { method: 'GET', path, headers }
    return await this.#within(request, stop, (response) => Promise.resolve(response))
  }

  async #try<Result>(request: Request, read: (response: Response) => Promise<Result>): Promise<Result> {
    const { signal } = request
    signal?.throwIfAborted()
    const stop = new AbortController()
    const leave = () => stop.abort(signal?.reason)
    signal?.addEventListener('abort', leave, { once: true })
    try {
      return await this.#within(request, stop, read)
    } finally {
      signal?.removeEventListener('abort', leave)
    }
  }

  /** A try within its time. `stop` ends it, and then it rejects with that reason. */
  async #within<Result>(
    request: Request,
    stop: AbortController,
    read: (response: Response) => Promise<Result>,
  ): Promise<Result> {
    const { fetch, baseUrl, timeoutMs } = this.settings
    const { method, path, body, waitSeconds } = request
    const url = new URL(path.slice(1), baseUrl)
    const headers = this.#headersOf(request)
    const ms = timerMs((request.timeoutMs ?? timeoutMs) + (waitSeconds ?? 0) * 1000)
    const what = `${method} ${url.pathname}`
    const timer = setTimeout(() => stop.abort(timedOut(what, ms)), ms)
    try {
      const response = await fetch(url, {
        method,
        headers,
        signal: stop.signal,
        ...(body === undefined ? {} : { body }),
      })
      if (response.redirected) throw redirected(response)
      if (!response.ok) throw errorOfAnswer(response, await response.text())
      return await read(response)
    } catch (error) {
      if (stop.signal.aborted) throw stop.signal.reason
      throw error instanceof DevflowError ? error : disconnected(what, baseUrl, error)
    } finally {
      clearTimeout(timer)
    }
  }

  #headersOf({ body, headers, waitSeconds }: Request): Headers {
    const all = new Headers({ accept: 'application/json', ...this.settings.headers, ...headers })
    if (body !== undefined) all.set('content-type', 'application/json')
    if (waitSeconds !== undefined) all.set('prefer', `wait=${Math.floor(waitSeconds)}`)
    return all
  }
}

/** 128 bits by lot; `crypto.randomUUID` is missing in pages that came without TLS. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function timedOut(what: string, ms: number): TimeoutError {
  return new TimeoutError('TIMEOUT', 'no_answer_in_time', `${what}: no answer within ${ms} ms.`)
}

function disconnected(what: string, baseUrl: URL, cause: unknown): ConnectionError {
  const detail = `${what}: the connection to ${baseUrl.origin} failed: ${reasonOf(cause)}`
  return new ConnectionError('UNAVAILABLE', 'unreachable', detail, { cause })
}

/** The innermost words: `fetch` says little itself, and keeps what happened as the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof Error) return reasonOf(error.cause)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return error.message || code || error.name
}

/** A redirect turns a POST into a GET, whose answer would be taken for the POST's. */
function redirected({ url, status }: Response): DevflowError {
  const detail = `The API redirects to ${url}: use that address as baseUrl.`
  return new UnknownError('UNKNOWN', 'redirected', detail, { status })
}
