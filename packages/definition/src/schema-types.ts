import type { JsonSchema } from '@devflow/contracts'

/** Types of CEL that schemas tell apart. */
export const CEL_TYPES = ['string', 'bool', 'int', 'double', 'list', 'map', 'dyn'] as const
export type CelType = (typeof CEL_TYPES)[number]

/** Of `index` and `iteration`, which are ints; a JSON number is a double to CEL, also where its schema says integer. */
export const COUNT: JsonSchema = { type: 'integer', minimum: 0 }

const OF_JSON: Readonly<Record<string, CelType>> = {
  string: 'string',
  boolean: 'bool',
  integer: 'double',
  number: 'double',
  array: 'list',
  object: 'map',
}

/** The CEL type of what fits a schema, dyn where it may be of several. */
export function celTypeOf(schema: JsonSchema | undefined): { type: CelType; isNullable: boolean } {
  if (schema === COUNT) return { type: 'int', isNullable: false }
  const types = new Set(schema ? jsonTypes(schema) : [])
  const isNullable = types.delete('null')
  if (types.has('number')) types.delete('integer')
  const [only, ...more] = types
  const type = typeof only !== 'string' || more.length > 0 ? undefined : OF_JSON[only]
  return { type: type ?? 'dyn', isNullable: isNullable || type === undefined }
}

function jsonTypes({ type, enum: among, const: only }: JsonSchema): unknown[] {
  if (type !== undefined) return [type].flat()
  if (Array.isArray(among)) return among.map(jsonType)
  return only === undefined ? [] : [jsonType(only)]
}

function jsonType(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

/** A schema that all of some values fit, as far as their types and fields go. */
export function schemaOfValues(values: readonly unknown[]): JsonSchema {
  const types = [...new Set(values.map(jsonType))]
  if (types.length === 0) return {}
  const schema: JsonSchema = { type: types }
  if (types.includes('object')) {
    const objects = values.filter((value) => jsonType(value) === 'object') as Record<string, unknown>[]
    const fields = new Set(objects.flatMap((object) => Object.keys(object)))
    const all = [...fields].map((field) => {
      const having = objects.filter((object) => Object.hasOwn(object, field))
      return [field, schemaOfValues(having.map((object) => object[field]))] as const
    })
    schema.properties = Object.fromEntries(all)
    schema.additionalProperties = false
  }
  if (types.includes('array'))
    schema.items = schemaOfValues(values.filter((value) => Array.isArray(value)).flat())
  return schema
}
