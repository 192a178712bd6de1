import { DevflowError, Problem } from '@devflow/contracts'
import type { z } from 'zod'

/** Devflow's HTTP API as this app uses it. `url` is its origin. */
export interface Api {
  /** The answer's body, checked. Rejects with the problem as a DevflowError, or `UNAVAILABLE unreachable`. */
  get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>>
  post<Schema extends z.ZodType>(
    path: string,
    body: unknown,
    schema: Schema,
    headers?: Record<string, string>,
  ): Promise<z.output<Schema>>
  /** The answer as it comes; only its status has been looked at. */
  open(path: string, init?: RequestInit): Promise<Response>
}

export function createApi(url: string, token?: string): Api {
  const open = async (path: string, init?: RequestInit) => {
    const headers = new Headers(init?.headers)
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
    const response = await fetch(new URL(path, url), { ...init, headers }).catch((cause: unknown) => {
      throw new DevflowError('UNAVAILABLE', 'unreachable', `there is no Devflow at ${url}`, { cause })
    })
    if (!response.ok) throw await problemOf(response)
    return response
  }
  return {
    open,
    get: async (path, schema) => schema.parse(await (await open(path)).json()),
    post: async (path, body, schema, headers) => {
      const response = await open(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
      return schema.parse(await response.json())
    },
  }
}

async function problemOf(response: Response): Promise<DevflowError> {
  const text = await response.text()
  const problem = Problem.safeParse(parseJson(text))
  if (problem.success) {
    const { kind, code, detail, errors } = problem.data
    return new DevflowError(kind, code, detail, { errors })
  }
  return new DevflowError(
    'UNKNOWN',
    'unexpected_answer',
    `the API answered ${response.status}: ${text.slice(0, 300)}`,
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON: then it is no problem document either.
    return undefined
  }
}
