import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

interface Media {
  schema: unknown
  example?: unknown
  examples?: Record<string, { $ref: string } | { value: unknown }>
}
interface Answer {
  content?: Record<string, Media>
  headers?: Record<string, unknown>
}
export interface OperationDocument {
  operationId: string
  summary?: string
  tags?: string[]
  requestBody?: { content: Record<string, Media> }
  'x-rest-of-path'?: true
  responses: Record<string, Answer | { $ref: string }>
}
export interface ApiDocument {
  openapi: string
  tags?: { name: string }[]
  paths: Record<string, Record<string, OperationDocument>>
  components: Record<string, Record<string, unknown>>
}

/** Problems that no operation has: there is none at that path, by that method, or for that caller. */
const OUTSIDE = ['not_found', 'method_not_allowed', 'unauthenticated', 'host_refused', 'origin_refused']

/**
 * Holds answers to the OpenAPI document: their status is stated for their operation, their media type for the status,
 * their body fits its schema with nothing beside it, and the code of a problem is one of those shown. Throws an Error
 * that names what is not so.
 */
export class Conformance {
  readonly #document: ApiDocument
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true })
  readonly #operations: { method: string; path: string; pattern: RegExp; operation: OperationDocument }[]

  constructor(document: ApiDocument) {
    this.#document = document
    addFormats.default(this.#ajv)
    this.#ajv.addSchema(closed(document) as object, 'api')
    this.#operations = Object.entries(document.paths)
      // The more of a path is fixed the sooner it is asked.
      .sort(([one], [other]) => one.split('{').length - other.split('{').length)
      .flatMap(([path, item]) =>
        Object.entries(item).map(([method, operation]) => ({
          method,
          path,
          pattern: patternOf(path, operation['x-rest-of-path'] === true),
          operation,
        })),
      )
  }

  async check(method: string, pathname: string, response: Response): Promise<void> {
    const said = `${method} ${pathname} answered ${response.status}`
    if (!response.headers.has('x-request-id')) throw new Error(`${said} without x-request-id`)
    const wanted = method === 'HEAD' ? 'get' : method.toLowerCase()
    const at = this.#operations.find(({ pattern }) => pattern.test(pathname))?.path
    const found = this.#operations.find((each) => each.method === wanted && each.path === at)
    if (!found) return await this.#checkOutside(said, response)
    const { path, operation } = found
    const stated = operation.responses[response.status]
    if (!stated) throw new Error(`${said}, which ${operation.operationId} does not state`)
    const answer = this.#resolved<Answer>(stated)
    for (const name of Object.keys(answer.headers ?? {})) {
      if (name === 'Retry-After' && !response.headers.has(name)) throw new Error(`${said} without ${name}`)
    }
    const type = mediaTypeOf(response)
    const types = Object.keys(answer.content ?? {})
    if (type === undefined) {
      if (types.length > 0) throw new Error(`${said} with nothing, where ${types.join(', ')} is stated`)
      return
    }
    const stands = types.find((each) => each === type) ?? types.find((each) => each === '*/*')
    if (stands === undefined) throw new Error(`${said} as ${type}, where ${types.join(', ')} is stated`)
    if (!/json$/.test(stands) || method === 'HEAD') return
    const body = await bodyOf(response)
    const pointer = `${pointerTo(stated, path, wanted, response.status)}/content/${escaped(stands)}/schema`
    this.#validate(said, pointer, body)
    const codes = Object.keys(answer.content?.[stands]?.examples ?? {})
    if (response.status >= 400 && !codes.includes(codeOf(body)))
      throw new Error(`${said} ${codeOf(body)}, where ${operation.operationId} has ${codes.join(', ')}`)
  }

  /** Whether a value fits the schema at a pointer into the document. */
  #validate(said: string, pointer: string, body: unknown): void {
    const key = `api#${pointer}`
    const validate = this.#ajv.getSchema(key) ?? this.#ajv.compile({ $ref: key })
    if (!validate(body)) throw new Error(`${said}: ${this.#ajv.errorsText(validate.errors)}`)
  }

  async #checkOutside(said: string, response: Response): Promise<void> {
    if (mediaTypeOf(response) !== 'application/problem+json') throw new Error(`${said} with no problem`)
    const body = await bodyOf(response)
    if (response.status !== 200) this.#validate(said, '/components/schemas/Problem', body)
    if (!OUTSIDE.includes(codeOf(body))) throw new Error(`${said} ${codeOf(body)}, which is not stated`)
  }

  #resolved<Value>(value: Value | { $ref: string }): Value {
    if (typeof value !== 'object' || value === null || !('$ref' in value)) return value as Value
    const [, , kind = '', name = ''] = value.$ref.split('/')
    return this.#document.components[kind]?.[name] as Value
  }
}

function patternOf(path: string, restOfPath: boolean): RegExp {
  const text = path.replaceAll('.', '\\.').replace(/\{\w+\}$/, restOfPath ? '.+' : '[^/]+')
  return new RegExp(`^${text.replaceAll(/\{\w+\}/g, '[^/]+')}$`)
}

function mediaTypeOf(response: Response): string | undefined {
  return response.headers.get('content-type')?.split(';')[0]?.trim()
}

async function bodyOf(response: Response): Promise<unknown> {
  return JSON.parse(await response.clone().text())
}

const codeOf = (body: unknown): string => (body as { code?: string }).code ?? ''

const escaped = (part: string): string => part.replaceAll('~', '~0').replaceAll('/', '~1')

function pointerTo(stated: Answer | { $ref: string }, path: string, method: string, status: number): string {
  if ('$ref' in stated) return stated.$ref.slice(1)
  return `/paths/${escaped(path)}/${method}/responses/${status}`
}

/** The document with every object closed, so that nothing is answered that is not stated. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (typeof value !== 'object' || value === null) return value
  const copy = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, closed(each)]))
  if (copy.type === 'object' && 'properties' in copy && !('additionalProperties' in copy))
    copy.additionalProperties = false
  return copy
}
