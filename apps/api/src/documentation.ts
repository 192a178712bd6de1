import type { Scope } from '@devflow/contracts'
import type { RouteConfig } from '@hono/zod-openapi'
import { z } from 'zod'
import { ProblemBody } from './bodies.ts'
import { type Documented, scopesOf, type Text } from './documented.ts'
import { JsonSchemas, type OpenApiRegistry } from './json-schemas.ts'
import { HEADERS, PATH_PARAMETERS } from './parameters.ts'
import { exampleOf, PROBLEMS, type ProblemCode } from './problem-codes.ts'
import { statusOf } from './problems.ts'

type Responses = RouteConfig['responses']
type Stated = NonNullable<RouteConfig['parameters']>

type ResponseComponent = Parameters<OpenApiRegistry['registerComponent']>[2]

const ANY_OPERATION: readonly ProblemCode[] = [
  'invalid',
  'unauthenticated',
  'host_refused',
  'origin_refused',
  'internal',
  'database_away',
  'database_busy',
]

/** Of a request that may have a body, wanted or not. */
const ANY_BODY: readonly ProblemCode[] = [
  'malformed_json',
  'too_deep',
  'too_many_keys',
  'unstorable',
  'body_too_large',
  'unsupported_media_type',
]

/** By header or by cookie. */
const credentialsWith = (scope: Scope): Record<string, string[]>[] => [
  { token: [scope] },
  { session: [scope] },
]

/** Writes operations into the OpenAPI document. */
export class Documentation {
  readonly #registry: OpenApiRegistry
  readonly #schemas: JsonSchemas
  readonly #usuals = new Set<string>()

  constructor(registry: OpenApiRegistry) {
    this.#registry = registry
    this.#schemas = new JsonSchemas(registry)
  }

  add(operation: Documented): void {
    const { method, path, restOfPath, operationId, summary, description, tag, body, bodyOptional } = operation
    const parameters = this.#parameters(operation)
    const scopes = scopesOf(operation)
    this.#registry.registerPath({
      method,
      path,
      operationId,
      summary,
      ...(description === undefined ? {} : { description }),
      tags: [tag],
      ...(scopes.length > 0 ? { security: [{}, ...scopes.flatMap(credentialsWith)] } : {}),
      // OpenAPI 3.1 cannot say it.
      ...(restOfPath ? { 'x-rest-of-path': true } : {}),
      ...(parameters.length > 0 ? { parameters } : {}),
      ...(body
        ? {
            request: {
              body: {
                required: !bodyOptional,
                content: {
                  'application/json': { schema: this.#schemas.of(body, 'input'), ...bodyExamples(operation) },
                },
              },
            },
          }
        : {}),
      responses: { ...this.#answers(operation), ...this.#problems(operation) },
    })
  }

  #parameters({ path, params, query, labels, meta, headers }: Documented): Stated {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => {
      const schema = params?.[name] ?? PATH_PARAMETERS[name] ?? z.string()
      return { name, in: 'path' as const, required: true, ...this.#parameter(schema) }
    })
    const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]) => {
      const required = !(schema as z.ZodType).safeParse(undefined).success
      const parameter = { name, in: 'query' as const, required, ...this.#parameter(schema as z.ZodType) }
      // `?type=` says nothing.
      return required ? parameter : { ...parameter, allowEmptyValue: true }
    })
    const inHeaders = Object.entries(headers ?? {}).map(([name, description]) => ({
      name,
      in: 'header' as const,
      description,
      schema: HEADERS[name] ?? { type: 'string' as const },
    }))
    return [
      ...inPath,
      ...inQuery,
      ...(labels ? [prefixed('label', 'A label that the run must have, with this value.')] : []),
      ...(meta ? [prefixed('meta', 'What the entry must have under this name in its `meta`.')] : []),
      ...inHeaders,
    ] as Stated
  }

  #parameter(schema: z.ZodType) {
    const { description, ...made } = this.#schemas.of(schema, 'input')
    return {
      ...(description === undefined ? {} : { description }),
      schema: made,
      // Several words are one value here, separated by commas.
      ...(made.type === 'array' ? { explode: false } : {}),
      ...this.#schemas.exampleOf(schema),
    }
  }

  #answers({ answers }: Documented): Responses {
    const stated = Object.entries(answers).map(
      ([status, { description, schema, example, other, headers, links }]) => {
        const shown = example === undefined ? schema && this.#schemas.exampleOf(schema) : { example }
        const texts = Object.entries(other ?? {}).map(([type, text]) => [type, textOf(type, text)])
        const content = {
          ...(schema ? { 'application/json': { schema: this.#schemas.of(schema, 'output'), ...shown } } : {}),
          ...Object.fromEntries(texts),
        }
        return [
          status,
          {
            description,
            headers: { ...EVERY_ANSWER, ...headersOf(headers) },
            ...(links ? { links: linksOf(links) } : {}),
            ...(Object.keys(content).length > 0 ? { content } : {}),
          },
        ]
      },
    )
    return Object.fromEntries(stated)
  }

  #problems({ method, path, scope, problems = [] }: Documented): Responses {
    const any = [...ANY_OPERATION, ...(method === 'get' ? [] : ANY_BODY), 'scope_missing' as const]
    const codes = [
      ...any.filter((code) => scope !== 'any' || code !== 'scope_missing'),
      ...(path.includes('{') ? ['not_found' as const] : []),
      ...problems,
    ]
    const stated = [...byStatus(codes)].map(([status, own]) => {
      const isUsual = own.every((code) => any.includes(code))
      return [status, isUsual ? this.#usual(status, own) : this.#problem(status, own)]
    })
    return Object.fromEntries(stated)
  }

  /** A problem that many operations have, as a component. */
  #usual(status: number, codes: readonly ProblemCode[]) {
    const name = `Problem${status}${status === 400 && codes.length > 1 ? 'OfBody' : ''}`
    if (!this.#usuals.has(name))
      this.#registry.registerComponent('responses', name, this.#problem(status, codes) as ResponseComponent)
    this.#usuals.add(name)
    return { $ref: `#/components/responses/${name}` }
  }

  #problem(status: number, codes: readonly ProblemCode[]) {
    const kinds = [...new Set(codes.map((code) => PROBLEMS[code].kind))].join(', ')
    const meanings = codes.map((code) => `\`${code}\` (${PROBLEMS[code].meaning})`).join(', ')
    const examples = codes.map((code) => this.#schemas.example(code, exampleOf(code), PROBLEMS[code].meaning))
    const later = status === 503 || status === 429 ? headersOf({ 'Retry-After': 'Seconds.' }) : {}
    return {
      description: `${kinds}: ${meanings}.`,
      headers: { ...EVERY_ANSWER, ...later },
      content: {
        'application/problem+json': {
          schema: this.#schemas.of(ProblemBody, 'output'),
          examples: Object.assign({}, ...examples),
        },
      },
    }
  }
}

const byStatus = (codes: readonly ProblemCode[]): Map<number, ProblemCode[]> =>
  Map.groupBy(new Set(codes), (code) => statusOf(PROBLEMS[code].kind, code))

const EVERY_ANSWER = { 'X-Request-Id': { $ref: '#/components/headers/RequestId' } }

function headersOf(headers: Record<string, string> = {}) {
  const stated = Object.entries(headers).map(([name, description]) => [
    name,
    { description, schema: HEADERS[name] ?? { type: 'string' } },
  ])
  return Object.fromEntries(stated)
}

function linksOf(links: Record<string, Record<string, string>>) {
  const stated = Object.entries(links).map(([operationId, parameters]) => [
    operationId,
    { operationId, parameters },
  ])
  return Object.fromEntries(stated)
}

function bodyExamples({ bodyExamples = {} }: Documented) {
  const shown = Object.entries(bodyExamples).map(([summary, value]) => [
    summary.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'),
    { summary, value },
  ])
  return { examples: Object.fromEntries(shown) }
}

function textOf(type: string, text: string | Text) {
  const { description, example } = typeof text === 'string' ? { description: text } : text
  // What may be of any media type may be JSON, too.
  const schema = type === '*/*' ? { description } : { type: 'string', description }
  return { schema, ...(example === undefined ? {} : { example }) }
}

/** Parameters `<prefix>.<k>`: an object whose every property is a parameter of its own. */
function prefixed(prefix: string, description: string) {
  return {
    name: `${prefix}s`,
    in: 'query',
    description: `\`${prefix}.<k>=<v>\`, any number of them. ${description}`,
    style: 'form',
    explode: true,
    schema: {
      type: 'object',
      patternProperties: { [`^${prefix}\\..+$`]: { type: 'string' } },
      additionalProperties: false,
    },
    example: { [`${prefix}.team`]: 'web' },
  }
}
