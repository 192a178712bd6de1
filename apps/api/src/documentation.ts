import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi'
import { z } from 'zod'
import { ProblemBody } from './bodies.ts'

type Registry = OpenAPIHono['openAPIRegistry']
type Responses = RouteConfig['responses']
declare const registry: Registry
type Schema = Parameters<typeof registry.registerComponent<'schemas'>>[2]

/** An answer of an operation. */
interface Answer {
  description: string
  schema?: z.ZodType
  /** Media types other than JSON, with what they hold. */
  other?: Record<string, string>
  headers?: Record<string, string>
}

/** What the OpenAPI document says of an operation. */
export interface Documented {
  method: 'get' | 'post' | 'delete'
  /** With its parameters in braces, as in `/v1/runs/{id}`. */
  path: string
  /** Its last parameter takes the rest of the path, slashes too. */
  restOfPath?: boolean
  summary: string
  tag: string
  query?: z.ZodObject
  /** Takes `label.<k>` too. */
  labels?: boolean
  /** Takes `meta.<k>` too. */
  meta?: boolean
  body?: z.ZodType
  /** The body may be left out, which reads as `{}`. */
  bodyOptional?: boolean
  /** Headers it heeds, with what they mean. */
  headers?: Record<string, string>
  answers: Record<number, Answer>
  /** Statuses of its problems beside those that any operation has. */
  problems?: Record<number, string>
}

const ANY_OPERATION: Record<number, string> = {
  400: 'INVALID: what was sent is not valid; `errors` names each fault with its path.',
  401: 'PERMISSION_DENIED `unauthenticated`: a token is missing or false.',
  403: 'PERMISSION_DENIED: the host, the origin or the caller is refused.',
  500: 'INTERNAL `internal`.',
  503: 'UNAVAILABLE: the database is away or busy; see Retry-After.',
}

const ANY_BODY: Record<number, string> = {
  413: 'INVALID `body_too_large`.',
  415: 'INVALID `unsupported_media_type`: the body is not application/json.',
}

/** Writes operations into the OpenAPI document. Their schemas are made by zod itself, which knows recursive ones. */
export class Documentation {
  readonly #registry: Registry
  readonly #components = new Set<string>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  add(operation: Documented): void {
    const { method, path, summary, tag, body, bodyOptional } = operation
    this.#registry.registerPath({
      method,
      path,
      summary,
      tags: [tag],
      request: {
        ...this.#parameters(operation),
        ...(body
          ? {
              body: {
                required: !bodyOptional,
                content: { 'application/json': { schema: this.#schema(body, 'input') } },
              },
            }
          : {}),
      },
      responses: { ...this.#answers(operation), ...this.#problems(operation) },
    })
  }

  #parameters({ path, query, labels, meta, headers }: Documented): NonNullable<RouteConfig['request']> {
    const params = [...path.matchAll(/\{(\w+)\}/g)].map((match) => [match[1] ?? '', z.string()])
    const label = labels
      ? { 'label.<k>': z.string().optional().describe('a label the run must have, with this value') }
      : {}
    const metadata = meta
      ? { 'meta.<k>': z.string().optional().describe('what the entry must have under this name in `meta`') }
      : {}
    const heeded = Object.entries(headers ?? {}).map(([name, text]) => [
      name,
      z.string().optional().describe(text),
    ])
    return {
      ...(params.length > 0 ? { params: z.object(Object.fromEntries(params)) } : {}),
      ...(query || labels || meta ? { query: z.object({ ...query?.shape, ...label, ...metadata }) } : {}),
      ...(heeded.length > 0 ? { headers: z.object(Object.fromEntries(heeded)) } : {}),
    }
  }

  #answers({ answers }: Documented): Responses {
    const stated = Object.entries(answers).map(([status, { description, schema, other, headers }]) => {
      const media = Object.entries(other ?? {}).map(([type, text]) => [
        type,
        { schema: { type: 'string', description: text } },
      ])
      const content = {
        ...(schema ? { 'application/json': { schema: this.#schema(schema, 'output') } } : {}),
        ...Object.fromEntries(media),
      }
      const told = Object.entries(headers ?? {}).map(([name, text]) => [name, z.string().describe(text)])
      return [
        status,
        {
          description,
          ...(Object.keys(content).length > 0 ? { content } : {}),
          ...(told.length > 0 ? { headers: z.object(Object.fromEntries(told)) } : {}),
        },
      ]
    })
    return Object.fromEntries(stated)
  }

  #problems({ body, problems }: Documented): Responses {
    const stated = { ...ANY_OPERATION, ...(body ? ANY_BODY : {}), ...problems }
    const schema = this.#schema(ProblemBody, 'output')
    return Object.fromEntries(
      Object.entries(stated).map(([status, description]) => [
        status,
        { description, content: { 'application/problem+json': { schema } } },
      ]),
    )
  }

  /** JSON Schema of a zod schema; those with an id become components. */
  #schema(schema: z.ZodType, io: 'input' | 'output'): Schema {
    const made = z.toJSONSchema(schema, {
      io,
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => {
        // Any JSON value, which zod spells out as a recursion.
        if (zodSchema._zod.def.type === 'lazy')
          for (const key of Object.keys(jsonSchema)) delete jsonSchema[key as keyof typeof jsonSchema]
        // What we answer may grow: clients ignore what they do not know.
        if (io === 'output' && jsonSchema.additionalProperties === false)
          delete jsonSchema.additionalProperties
      },
    })
    const text = JSON.stringify(made)
      .replace(/\{"\$ref":"#\/\$defs\/__schema\d+"\}/g, '{}')
      .replaceAll('#/$defs/', '#/components/schemas/')
    const { $schema: _, $defs = {}, ...rest } = JSON.parse(text)
    for (const [name, definition] of Object.entries<Schema>($defs)) {
      if (name.startsWith('__schema') || this.#components.has(name)) continue
      this.#components.add(name)
      this.#registry.registerComponent('schemas', name, definition)
    }
    return rest
  }
}
