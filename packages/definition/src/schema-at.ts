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
 * The schema of a field (a string) or of a list's item (a number; undefined when it is computed): what can be said
 * without evaluating the schema, `open` where nothing can. Fields that `properties` does not list are `missing`
 * unless `additionalProperties` lets them in by name.
 */
export function schemaAt(
  schema: unknown,
  step: string | number | undefined,
): { schema: unknown } | 'open' | 'missing' {
  if (schema === null || typeof schema !== 'object') return 'open'
  const fields = schema as Record<string, unknown>
  if (OPENING.some((keyword) => Object.hasOwn(fields, keyword))) return 'open'
  if (step === undefined) return 'open'
  const types = fields.type === undefined ? undefined : [fields.type].flat()
  if (typeof step === 'number') {
    if (types && !types.includes('array') && !types.includes('object')) return 'missing'
    return fields.prefixItems === undefined && fields.items !== undefined ? { schema: fields.items } : 'open'
  }
  if (types && !types.includes('object')) return 'missing'
  const properties = fields.properties as Record<string, unknown> | undefined
  if (properties && Object.hasOwn(properties, step)) return { schema: properties[step] }
  const more = fields.additionalProperties
  if (more === false) return 'missing'
  if (more === undefined) return properties ? 'missing' : 'open'
  return { schema: more }
}
