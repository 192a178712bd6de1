import { isRecord } from './brief.ts'

const DEEPEST = 20

/**
 * The least value that satisfies a JSON Schema 2020-12, for the parts of the standard that schemas of results use:
 * const, enum, default, examples, types and their bounds, required properties, items, `$ref` into the document, and
 * the first way of `anyOf`, `oneOf` and all of `allOf`. Patterns are only met by `examples`, `default` or `const`.
 */
export function minimalInstance(schema: unknown, root: unknown = schema, depth = 0): unknown {
  if (!isRecord(schema) || depth > DEEPEST) return null
  if ('const' in schema) return schema.const
  if ('default' in schema) return schema.default
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0]
  if (Array.isArray(schema.enum)) return schema.enum[0]
  if (typeof schema.$ref === 'string') return minimalInstance(referenced(schema.$ref, root), root, depth + 1)
  for (const ways of [schema.anyOf, schema.oneOf])
    if (Array.isArray(ways))
      return minimalInstance({ ...without(schema), ...asRecord(ways[0]) }, root, depth + 1)
  if (Array.isArray(schema.allOf))
    return minimalInstance(schema.allOf.reduce(merged, without(schema)), root, depth + 1)
  const type = Array.isArray(schema.type) ? schema.type[0] : (schema.type ?? guessedType(schema))
  switch (type) {
    case 'object':
      return fillRequired(schema, {}, root, depth)
    case 'array': {
      const count = Math.min(number(schema.minItems, 0), 100)
      return Array.from({ length: count }, () => minimalInstance(schema.items ?? {}, root, depth + 1))
    }
    case 'string':
      return text(schema)
    case 'integer':
    case 'number':
      return numeric(schema)
    case 'boolean':
      return false
    default:
      return null
  }
}

/** Adds the least value for each required property that `given` does not have. */
export function fillRequired(
  schema: Record<string, unknown>,
  given: Record<string, unknown>,
  root: unknown = schema,
  depth = 0,
): Record<string, unknown> {
  const required = Array.isArray(schema.required) ? schema.required.map(String) : []
  const properties = asRecord(schema.properties)
  const missing = required.filter((name) => !Object.hasOwn(given, name))
  return {
    ...given,
    ...Object.fromEntries(
      missing.map((name) => [name, minimalInstance(properties[name] ?? {}, root, depth + 1)]),
    ),
  }
}

function text(schema: Record<string, unknown>): string {
  const formats: Record<string, string> = {
    date: '2000-01-01',
    'date-time': '2000-01-01T00:00:00Z',
    email: 'nobody@example.com',
    uri: 'https://example.com/',
    uuid: '00000000-0000-0000-0000-000000000000',
  }
  const known = typeof schema.format === 'string' ? formats[schema.format] : undefined
  return known ?? 'none'.padEnd(number(schema.minLength, 0), '.').slice(0, number(schema.maxLength, 10_000))
}

function numeric(schema: Record<string, unknown>): number {
  const step = number(schema.multipleOf, 1)
  const low = Math.max(number(schema.minimum, -Infinity), number(schema.exclusiveMinimum, -Infinity) + step)
  const high = Math.min(number(schema.maximum, Infinity), number(schema.exclusiveMaximum, Infinity) - step)
  const wanted = Math.min(Math.max(0, low), high)
  return Math.ceil(wanted / step) * step
}

function referenced(reference: string, root: unknown): unknown {
  if (!reference.startsWith('#')) return {}
  return reference
    .slice(1)
    .split('/')
    .filter((part) => part !== '')
    .reduce<unknown>(
      (value, part) => asRecord(value)[decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')],
      root,
    )
}

const guessedType = (schema: Record<string, unknown>): string =>
  'properties' in schema || 'required' in schema ? 'object' : 'items' in schema ? 'array' : 'string'

const number = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise)
const asRecord = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {})
const without = ({ anyOf: _, oneOf: __, allOf: ___, ...rest }: Record<string, unknown>) => rest

function merged(sum: Record<string, unknown>, part: unknown): Record<string, unknown> {
  const next = asRecord(part)
  const list = (value: unknown) => (Array.isArray(value) ? value : [])
  return {
    ...sum,
    ...next,
    properties: { ...asRecord(sum.properties), ...asRecord(next.properties) },
    required: [...list(sum.required), ...list(next.required)],
  }
}
