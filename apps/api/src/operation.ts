import { DevflowError, type ErrorDetail } from '@devflow/contracts'
import { type Context, type Handler, Hono } from 'hono'
import { z } from 'zod'
import { type Caller, mayCall } from './caller.ts'
import { type Documented, scopesOf } from './documented.ts'
import { type BodyLimits, readBody } from './read-body.ts'

/** What the middleware knows of a request. */
export interface Env {
  Variables: { traceId: string; caller: Caller }
}

export class Api extends Hono<Env> {
  /** Its operations, for its document. */
  readonly documented: Documented[] = []
}

/** An operation and how it reads its requests; `labels` and `meta` come apart from the query. */
export interface Operation<Query extends z.ZodObject, Body extends z.ZodType> extends Documented {
  query?: Query
  body?: Body
}

export interface Call<Query extends z.ZodObject, Body extends z.ZodType> {
  c: Context<Env>
  params: Record<string, string>
  query: z.output<Query>
  labels: Record<string, string>
  meta: Record<string, string>
  body: z.output<Body>
  caller: Caller
}

const NoQuery = z.strictObject({})

/** The operations of an API: each is parsed strictly, and stands in the OpenAPI document with its errors. */
export class Operations {
  readonly #api: Api
  readonly #limits: BodyLimits
  readonly #handlers = new Map<string, Map<string, Handler<Env>>>()

  constructor(api: Api, limits: BodyLimits) {
    this.#api = api
    this.#limits = limits
  }

  add<Query extends z.ZodObject, Body extends z.ZodType>(
    operation: Operation<Query, Body>,
    handle: (call: Call<Query, Body>) => Promise<Response> | Response,
  ): void {
    const { method, path } = operation
    // What ends a path may hold slashes where it says so: ids of entries do, and few clients escape them.
    const pattern = path.replace(/\{(\w+)\}/g, ':$1') + (operation.restOfPath ? '{.+}' : '')
    this.#api.documented.push(operation)
    const handlers = this.#handlers.get(pattern) ?? new Map<string, Handler<Env>>()
    this.#handlers.set(pattern, handlers)
    handlers.set(method.toUpperCase(), async (c) => {
      const caller = c.get('caller')
      mayCall(caller, scopesOf(operation))
      const params = paramsOf(c, path)
      const { query, labels, meta } = queryOf(c, operation)
      const body = await this.#bodyOf(c, operation)
      return await handle({ c, params, query, labels, meta, body, caller })
    })
  }

  /** Mounts what was added, to be called when all of it is there: any other method on these paths is 405 with `Allow`. */
  mount(): void {
    // The path that is spelt out comes before the one with a parameter in its place, whose methods are others.
    const parameters = ([pattern]: [string, unknown]) => pattern.split(':').length
    for (const [pattern, handlers] of [...this.#handlers].sort((a, b) => parameters(a) - parameters(b))) {
      for (const [method, handler] of handlers) this.#api.on(method, pattern, handler)
      const allow = [...handlers.keys(), ...(handlers.has('GET') ? ['HEAD'] : [])].join(', ')
      this.#api.all(pattern, (c) => {
        c.header('allow', allow)
        throw new DevflowError(
          'INVALID',
          'method_not_allowed',
          `${c.req.method} is not allowed here: use ${allow}.`,
        )
      })
    }
  }

  async #bodyOf<Query extends z.ZodObject, Body extends z.ZodType>(
    c: Context<Env>,
    { method, body, bodyOptional }: Operation<Query, Body>,
  ): Promise<z.output<Body>> {
    const schema = body ?? z.undefined()
    const given =
      method === 'get' ? undefined : await readBody(c.req.raw, this.#limits, bodyOptional || !body)
    if (body && given === undefined && !bodyOptional) {
      throw new DevflowError('INVALID', 'unsupported_media_type', 'A body of application/json is required.')
    }
    if (!body && given !== undefined)
      throw invalid('The body', [{ path: '', message: 'this operation takes no body' }])
    return parsed('The body', schema, given === undefined && body ? {} : given) as z.output<Body>
  }
}

/** Parses with a schema; throws DevflowError INVALID `invalid` with the path of each error. */
export function parsed<Schema extends z.ZodType>(
  what: string,
  schema: Schema,
  value: unknown,
): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw invalid(what, result.error.issues.flatMap(detailsOf).slice(0, 50))
}

function invalid(what: string, errors: ErrorDetail[]): DevflowError {
  const [first] = errors
  const where = first?.path ? `${first.path}: ` : ''
  return new DevflowError('INVALID', 'invalid', `${what} is not valid: ${where}${first?.message ?? ''}`, {
    errors,
  })
}

function detailsOf(issue: z.core.$ZodIssue): ErrorDetail[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: pathOf([...issue.path, key]), message: 'is not a known field' }))
  }
  return [{ path: pathOf(issue.path), message: issue.message }]
}

/** `['phases', 2, 'gate']` → `phases[2].gate`. */
function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    return text === '' ? String(part).slice(0, 200) : `${text}.${String(part).slice(0, 200)}`
  }, '')
}

function paramsOf(c: Context<Env>, path: string): Record<string, string> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')
  const params = Object.fromEntries(names.map((name) => [name, c.req.param(name) ?? '']))
  // Postgres holds no NUL and nothing here is named with one.
  if (Object.values(params).some((value) => value.includes('\u0000') || !value.isWellFormed())) {
    throw new DevflowError('NOT_FOUND', 'not_found', 'There is nothing of that name.')
  }
  return params
}

function queryOf<Query extends z.ZodObject, Body extends z.ZodType>(
  c: Context<Env>,
  { query, labels: takesLabels, meta: takesMeta }: Operation<Query, Body>,
): Pick<Call<Query, Body>, 'query' | 'labels' | 'meta'> {
  const known = query?.shape ?? {}
  const given: Record<string, string | string[]> = Object.create(null)
  const labels: Record<string, string> = Object.create(null)
  const meta: Record<string, string> = Object.create(null)
  for (const [name, value] of new URL(c.req.url).searchParams) {
    if (value.includes('\u0000') || name.includes('\u0000')) {
      throw invalid('The query', [{ path: name.replaceAll('\u0000', '�'), message: 'holds a NUL' }])
    }
    if (takesLabels && name.startsWith('label.')) labels[name.slice('label.'.length)] = value
    else if (takesMeta && name.startsWith('meta.')) meta[name.slice('meta.'.length)] = value
    // `?type=`, as forms and written-out defaults have it, says nothing.
    else if (value === '' && Object.hasOwn(known, name)) continue
    else given[name] = name in given ? [...[given[name] ?? []].flat(), value] : value
  }
  return {
    query: parsed('The query', query ?? NoQuery, { ...given }) as z.output<Query>,
    labels: { ...labels },
    meta: { ...meta },
  }
}
