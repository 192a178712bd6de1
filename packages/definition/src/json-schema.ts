import { type ErrorDetail, exactOf, isMultiple, type JsonSchema } from '@devflow/contracts'
import {
  Ajv2020,
  type AnySchema,
  type ErrorObject,
  type FuncKeywordDefinition,
  str,
  type ValidateFunction,
} from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { canonicalHash, canonicalText } from './canonical.ts'
import { pathText, pointerSteps } from './path.ts'
import { Recent } from './recent.ts'
import { schemaRefusals } from './schema-refusals.ts'
import { TimeLimitError, withinTime } from './time-limit.ts'

const DIALECT = 'https://json-schema.org/draft/2020-12/schema'
const MAX_BYTES = 128 * 1024
const MAX_ERRORS = 50
/** Recursive schemas and patterns can take exponential time, so all work with them is bounded. */
const COMPILE_MS = 2000
const CHECK_MS = 1000
/** By these a check may recurse, backtrack, or compare each with each: take longer than schema times value. */
const UNBOUNDED = /"(\$\w*ref|pattern|patternProperties|format|uniqueItems)":/i
/** Characters of schema times characters of value: so few are checked in some ms whatever they say. */
const SMALL = 4_000_000

/** Ajv divides doubles, by which 19.99 is no multiple of 0.01. */
const MULTIPLE_OF: FuncKeywordDefinition = {
  keyword: 'multipleOf',
  type: 'number',
  schemaType: 'number',
  validate: (of: number, value: number) => {
    const [unit, amount] = [exactOf(of), exactOf(Math.abs(value))]
    return unit && amount ? isMultiple(amount, unit) : Number.isInteger(value / of)
  },
  error: { message: ({ schemaCode }) => str`must be multiple of ${schemaCode}` },
}

/** A checker with all that a schema may say. */
function checker(): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    strictTuples: false,
    allowMatchingProperties: true,
    allErrors: true,
    // What every object inherits, such as `constructor`, is no property of the value.
    ownProperties: true,
    validateSchema: false,
    logger: false,
  })
  addFormats.default(ajv)
  ajv.removeKeyword('multipleOf').addKeyword(MULTIPLE_OF)
  // Ajv follows it and yet takes it for a misspelling.
  ajv.addKeyword('$anchor')
  return ajv
}

const { RULES, formats } = checker()
const KNOWN = {
  keyword: (name: string) => Object.hasOwn(RULES.keywords, name),
  format: (name: string) => Object.hasOwn(formats, name),
}

// Holds the dialect's own schemas; users' schemas never enter it, so it does not grow.
const dialect = new Ajv2020({ strict: false, allErrors: true, logger: false })

/**
 * What is wrong with a JSON Schema 2020-12; paths lead into the schema. Beyond the dialect's own rules: at most
 * 128 KB and 32 levels, references stay inside (`#…`), no unknown keywords or formats, no pattern that
 * backtracks catastrophically on probes.
 */
export function checkSchema(schema: JsonSchema): ErrorDetail[] {
  const size = Buffer.byteLength(canonicalText(schema))
  if (size > MAX_BYTES) return [{ path: '$', message: `is larger than ${MAX_BYTES / 1024} KB` }]
  if (schema.$schema !== undefined && String(schema.$schema).replace(/#$/, '') !== DIALECT) {
    return [{ path: '$schema', message: `expected ${DIALECT}` }]
  }
  const refusals = schemaRefusals(schema, KNOWN)
  if (refusals.length > 0) return refusals
  try {
    const faults = dialectErrors(schema)
    if (faults.length === 0) validator(schema)
    return faults
  } catch (error) {
    // Of ajv's strict mode, of a reference to nowhere, or of work that took too long.
    const message = error instanceof Error ? error.message : String(error)
    return [{ path: '$', message: message.replace(/^strict mode: /, '') }]
  }
}

function dialectErrors(schema: JsonSchema): ErrorDetail[] {
  // Named dialects are looked up by ajv; ours has been compared, and a schema without a name means the same.
  const { $schema: _, ...plain } = schema
  // Compiles the dialect's own schemas, once, outside the limit: stopped in the middle of that, by a machine too busy, the
  // instance would refuse every schema from then on.
  dialect.validateSchema({})
  return withinTime(COMPILE_MS, () =>
    dialect.validateSchema(plain) ? [] : details(dialect.errors ?? [], schema),
  )
}

interface Validator {
  check: ValidateFunction
  /** Whether checking a value may go without the time limit, which takes longer than most checks. */
  isQuick(value: unknown): boolean
}

const validators = new Recent<string, Validator>(200)

function validator(schema: JsonSchema): Validator {
  return validators.get(canonicalHash(schema), () => {
    const text = canonicalText(schema)
    const isBounded = !UNBOUNDED.test(text)
    const check = withinTime(COMPILE_MS, () => {
      // A new instance each: an instance keeps all it compiled, and ids of one schema must not meet another's.
      return checker().compile(schema as AnySchema)
    })
    const isQuick = (value: unknown) =>
      isBounded && text.length * (JSON.stringify(value) ?? '').length < SMALL
    return { check, isQuick }
  })
}

/** What keeps a value from satisfying a schema, at most 50 errors; paths lead into the value, `$` is all of it. */
export function checkValue(schema: JsonSchema, value: unknown): ErrorDetail[] {
  try {
    const { check, isQuick } = validator(schema)
    const faults = () => (check(value) ? [] : details(check.errors ?? [], value))
    return isQuick(value) ? faults() : withinTime(CHECK_MS, faults)
  } catch (error) {
    if (error instanceof TimeLimitError) {
      return [{ path: '$', message: `could not be checked within ${CHECK_MS / 1000} s` }]
    }
    // The checker recurses with the value.
    if (error instanceof RangeError) return [{ path: '$', message: 'nests too deeply to be checked' }]
    throw error
  }
}

function details(errors: readonly ErrorObject[], value: unknown): ErrorDetail[] {
  const seen = new Set<string>()
  const result: ErrorDetail[] = []
  for (const error of errors) {
    const detail = detailOf(error, value)
    const key = `${detail.path}\n${detail.message}`
    if (seen.has(key)) continue
    seen.add(key)
    result.push(detail)
    if (result.length === MAX_ERRORS) break
  }
  return result
}

function detailOf({ instancePath, keyword, params, message }: ErrorObject, value: unknown): ErrorDetail {
  const steps = pointerSteps(instancePath, value)
  const at = (more: unknown, text: string) => ({ path: pathText([...steps, String(more)]), message: text })
  switch (keyword) {
    case 'required':
      return at(params.missingProperty, 'is required')
    case 'additionalProperties':
      return at(params.additionalProperty, 'is not allowed')
    case 'unevaluatedProperties':
      return at(params.unevaluatedProperty, 'is not allowed')
    case 'enum':
      return {
        path: pathText(steps),
        message: `must be one of ${JSON.stringify(params.allowedValues).slice(0, 500)}`,
      }
    case 'const':
      return {
        path: pathText(steps),
        message: `must be ${JSON.stringify(params.allowedValue).slice(0, 500)}`,
      }
    default:
      return { path: pathText(steps), message: message ?? `does not satisfy ${keyword}` }
  }
}
