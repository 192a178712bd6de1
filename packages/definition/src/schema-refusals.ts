import type { ErrorDetail, JsonSchema } from '@devflow/contracts'
import { pathText } from './path.ts'
import { TimeLimitError, withinTime } from './time-limit.ts'

const MAX_DEPTH = 32
const MAX_PATTERN = 500
const MAX_PATTERNS = 200
const PROBE_MS = 100

/** Keywords whose value is data, not schema: what stands in there is not looked at. */
const DATA = new Set(['const', 'enum', 'default', 'examples', 'dependentRequired', '$vocabulary'])
/** Keywords whose value maps free names to schemas. */
const NAMED = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])

/** What a checker knows, by name. */
interface Known {
  keyword(name: string): boolean
  format(name: string): boolean
}

/** What Devflow refuses in a schema though JSON Schema allows it; paths lead into the schema. */
export function schemaRefusals(root: JsonSchema, known: Known): ErrorDetail[] {
  const errors: ErrorDetail[] = []
  let patterns = 0
  const refuse = (path: PropertyKey[], message: string) => errors.push({ path: pathText(path), message })

  const pattern = (source: unknown, path: PropertyKey[]) => {
    if (typeof source !== 'string') return
    patterns += 1
    if (patterns === MAX_PATTERNS + 1) refuse(path, `holds more than ${MAX_PATTERNS} patterns`)
    if (patterns > MAX_PATTERNS) return
    const problem = patternProblem(source)
    if (problem) refuse(path, problem)
  }

  const visit = (schema: unknown, path: PropertyKey[], depth: number): void => {
    if (schema === null || typeof schema !== 'object') return
    if (depth > MAX_DEPTH) {
      refuse(path.slice(0, 8), `nests deeper than ${MAX_DEPTH} levels`)
      return
    }
    if (Array.isArray(schema)) {
      for (const [index, item] of schema.entries()) visit(item, [...path, index], depth + 1)
      return
    }
    for (const [key, value] of Object.entries(schema)) {
      const at = [...path, key]
      if (!known.keyword(key)) refuse(at, `unknown keyword: "${key}"`)
      if (DATA.has(key)) continue
      if (key === 'format' && typeof value === 'string' && !known.format(value))
        refuse(at, `unknown format "${value}"`)
      if (key === '$ref' || key === '$dynamicRef') {
        if (typeof value === 'string' && !value.startsWith('#'))
          refuse(at, 'must stay inside the schema: start with #')
      } else if (key === '$async') refuse(at, 'is not allowed')
      else if (key === 'pattern') pattern(value, at)
      else if (NAMED.has(key) && value !== null && typeof value === 'object') {
        if (key === 'patternProperties')
          for (const source of Object.keys(value)) pattern(source, [...at, source])
        for (const [name, item] of Object.entries(value)) visit(item, [...at, name], depth + 1)
      } else visit(value, at, depth + 1)
    }
  }
  visit(root, [], 0)
  return errors
}

/**
 * Runs the pattern on runs of each character it names, followed by one it cannot match: where nested repetition
 * backtracks, 40 of them take years. Slower growth is left to the time limit of each check.
 */
function patternProblem(source: string): string | undefined {
  if (source.length > MAX_PATTERN) return `is longer than ${MAX_PATTERN} characters`
  let regex: RegExp
  try {
    regex = new RegExp(source, 'u')
  } catch {
    return 'is not a regular expression'
  }
  const characters = new Set(['a', 'A', '0', ' ', '-', ...source.slice(0, 200)])
  const probes = [...characters].map((character) => `${character.repeat(40)}\u0000`)
  try {
    withinTime(PROBE_MS, () => probes.some((probe) => regex.test(probe) && false))
    return undefined
  } catch (error) {
    if (error instanceof TimeLimitError)
      return 'backtracks without end on some texts: avoid repetition inside repetition'
    throw error
  }
}
