import type { OpenAPIHono } from '@hono/zod-openapi'
import { z } from 'zod'

export type OpenApiRegistry = OpenAPIHono['openAPIRegistry']
declare const registry: OpenApiRegistry
export type JsonSchema = Exclude<
  Parameters<typeof registry.registerComponent<'schemas'>>[2],
  { $ref: string }
>

/**
 * JSON Schemas of zod schemas, as zod itself makes them: it knows recursive ones. A schema whose metadata has an `id`
 * becomes a component, and so does its `example`; `exact` in the metadata stands for what zod would say.
 */
export class JsonSchemas {
  readonly #registry: OpenApiRegistry
  readonly #components = new Set<string>()

  constructor(registry: OpenApiRegistry) {
    this.#registry = registry
  }

  of(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const made = z.toJSONSchema(schema, {
      io,
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => {
        const { def } = zodSchema._zod
        const { exact } = metaOf(zodSchema)
        // Any JSON value is what zod spells out as a recursion.
        if (exact !== undefined || def.type === 'lazy')
          for (const key of Object.keys(jsonSchema)) delete jsonSchema[key as keyof typeof jsonSchema]
        if (exact !== undefined) Object.assign(jsonSchema, exact)
        // Zod leaves it out where a transformation lies between; what is sent and what is read look the same here.
        if (def.type === 'default') jsonSchema.default = (def as z.core.$ZodDefaultDef).defaultValue as never
        delete jsonSchema.example
        // How zod checks a format, and how far its integers reach, says nothing to a reader.
        if (jsonSchema.format !== undefined) delete jsonSchema.pattern
        if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
        if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
        // What we answer may grow: clients ignore what they do not know.
        if (io === 'output' && jsonSchema.additionalProperties === false)
          delete jsonSchema.additionalProperties
      },
    })
    const {
      $schema: _,
      $defs = {},
      ...rest
    } = JSON.parse(JSON.stringify(made), (key, value) => {
      if (key !== '$ref') return value
      // Recursions without a name are those of any JSON value.
      return value.startsWith('#/$defs/__schema')
        ? undefined
        : value.replace('#/$defs/', '#/components/schemas/')
    })
    for (const [name, definition] of Object.entries<JsonSchema>($defs)) {
      if (!name.startsWith('__schema')) this.#component('schemas', name, definition)
    }
    return rest
  }

  /** The example that a schema carries, as a media type shows it. */
  exampleOf(schema: z.ZodType): object {
    const { id, example } = metaOf(schema)
    if (example === undefined) return {}
    return id === undefined ? { example } : { examples: this.example(id, example) }
  }

  /** An example by its name, kept once. */
  example(name: string, value: unknown, summary?: string): Record<string, { $ref: string }> {
    this.#component('examples', name, summary === undefined ? { value } : { summary, value })
    return { [name]: { $ref: `#/components/examples/${name}` } }
  }

  #component(kind: 'schemas' | 'examples', name: string, definition: JsonSchema): void {
    if (this.#components.has(`${kind} ${name}`)) return
    this.#components.add(`${kind} ${name}`)
    this.#registry.registerComponent(kind, name, definition)
  }
}

const metaOf = (schema: z.core.$ZodType): z.core.GlobalMeta => z.globalRegistry.get(schema) ?? {}
