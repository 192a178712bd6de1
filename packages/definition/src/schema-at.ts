import type { JsonSchema } from '@devflow/contracts'

/** Keywords under which fields may come from elsewhere than `properties`. */
const OPENING = [
  '$ref',
  '$dynamicRef',
  'allOf',
  'anyOf',
  'oneOf',
  'if',
  'patternProperties',
  'dependentSchemas',
]

/**
 * The schema of a field (a string) or of a list's item (a number); undefined is one that is computed: what can be said
 * without evaluating the schema, `open` where nothing can. Fields that `properties` does not list are `missing`
 * unless `additionalProperties` lets them in by name, or `required` names them.
 */
export function schemaAt(
  schema: unknown,
  step: string | number | undefined,
): { schema: unknown } | 'open' | 'missing' {
  if (schema === null || typeof schema !== 'object') return 'open'
  const fields = schema as Record<string, unknown>
  if (OPENING.some((keyword) => Object.hasOwn(fields, keyword))) return 'open'
  const types = fields.type === undefined ? undefined : [fields.type].flat()
  if (step === undefined) {
    const isList = types?.includes('array') && !types.includes('object')
    return isList && fields.prefixItems === undefined && fields.items !== undefined
      ? { schema: fields.items }
      : 'open'
  }
  if (typeof step === 'number') {
    if (types && !types.includes('array') && !types.includes('object')) return 'missing'
    const { prefixItems: first, items } = fields
    if (Array.isArray(first) && step < first.length) return { schema: first[step] }
    if (items === false) return 'missing'
    return items === undefined ? 'open' : { schema: items }
  }
  if (types && !types.includes('object')) return 'missing'
  const properties = fields.properties as Record<string, unknown> | undefined
  if (properties && Object.hasOwn(properties, step)) return { schema: properties[step] }
  const more = fields.additionalProperties
  if (more === false) return 'missing'
  if (more === undefined) return properties && !requires(fields, step) ? 'missing' : 'open'
  return { schema: more }
}

const requires = ({ required }: Record<string, unknown>, name: string): boolean =>
  Array.isArray(required) && required.includes(name)

/** The schema of what may be null as well. */
export function orNull(schema: JsonSchema): JsonSchema {
  const { type, enum: among, const: only, ...rest } = schema
  if (type !== undefined) {
    const types = [type].flat()
    return types.includes('null') ? schema : { ...schema, type: [...types, 'null'] }
  }
  if (Array.isArray(among)) return { ...rest, enum: [...among, null] }
  return only === undefined ? schema : { ...rest, enum: [only, null] }
}
