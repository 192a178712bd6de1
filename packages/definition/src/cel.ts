import { DevflowError } from '@devflow/contracts'
import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js'
import { jsonOf, ResultTooLarge } from './cel-result.ts'
import { Recent } from './recent.ts'
import { CEL_TYPES } from './schema-types.ts'
import type { Range } from './text-edits.ts'
import { TimeLimitError, withinTime } from './time-limit.ts'

/** What expressions can name. */
export interface Scope {
  input: unknown
  artifacts: Record<string, unknown>
  phases: Record<string, { output: unknown; status: string }>
  run: { id: string; attempt: number; [field: string]: unknown }
  /** What maps and cycles around the expression name: `item`, `index`, `iteration`, `last`, and what `as` says. */
  locals?: Record<string, unknown>
}

const SCOPE_NAMES = ['input', 'artifacts', 'phases', 'run'] as const

/** Bounds: characters of an expression and wall time of its evaluation. */
const MAX_EXPRESSION = 4000
const EVALUATION_MS = 250

const environment = createEnvironment()
/** Environments that know more names, by those names. */
const wider = new Recent<string, Environment>(50)
const parsed = new Recent<string, ParseResult>(500)

function environmentWith(locals: readonly string[]): Environment {
  if (locals.length === 0) return environment
  return wider.get(locals.join(' '), () => {
    const env = environment.clone()
    for (const name of locals) env.registerVariable(name, 'dyn')
    return env
  })
}

function createEnvironment(): Environment {
  const env = new Environment({
    homogeneousAggregateLiterals: false,
    limits: {
      maxAstNodes: 1000,
      maxDepth: 100,
      maxListElements: 500,
      maxMapEntries: 500,
      maxCallArguments: 16,
    },
  })
  for (const name of SCOPE_NAMES) env.registerVariable(name, 'dyn')
  // JSON knows one kind of number: those of the scope are doubles, literals are ints, and they must mix.
  const arithmetic: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
    '%': (a, b) => a % b,
  }
  for (const [operator, apply] of Object.entries(arithmetic)) {
    const mixed = (a: number | bigint, b: number | bigint) => apply(Number(a), Number(b))
    env.registerOperator(`double ${operator} int`, mixed)
    env.registerOperator(`int ${operator} double`, mixed)
  }
  env.registerOperator('double % double', (a: number, b: number) => a % b)
  return env
}

/** An expression that can be read and whose types fit, or what is wrong with it. */
export type CheckedExpression = { ast: ASTNode; type: string } | Fault
interface Fault {
  error: string
  /** Where in the text. */
  range?: Range | undefined
}

export function checkExpression(expression: string, locals: Iterable<string> = []): CheckedExpression {
  try {
    const result = parseExpression(expression, [...locals].sort())
    const { valid, type, error } = result.check()
    if (!valid) return { error: error?.summary ?? 'is not valid', range: error?.range }
    return { ast: result.ast, type: type ?? 'dyn' }
  } catch (error) {
    return { error: summaryOf(error) }
  }
}

/** Environments with a variable of each type, `__string`, `__dyn` and so on, by what else they know. */
const typed = new Recent<string, Environment>(20)
const typesOfTexts = new Recent<string, { type: string } | Fault>(500)

/** The type of an expression over such variables, and `unknown` others; dyn where it cannot be read. */
export function typeOfText(text: string, unknown: readonly string[]): { type: string } | Fault {
  return typesOfTexts.get(`${unknown.join(' ')}\n${text}`, () => typeAnew(text, unknown))
}

function typeAnew(text: string, unknown: readonly string[]): { type: string } | Fault {
  const env = typed.get(unknown.join(' '), () => {
    const made = environmentWith([]).clone()
    for (const type of CEL_TYPES) made.registerVariable(`__${type}`, type)
    for (const name of unknown) made.registerVariable(name, 'dyn')
    // Ints and doubles are equal when their values are, as they are when nothing is known of their types.
    return made.registerOperator('int == double', (a, b) => Number(a) === Number(b))
  })
  let result: ParseResult
  try {
    result = env.parse(text)
  } catch {
    // What was put in may break a bound of the parser's; the text as written is within them.
    return { type: 'dyn' }
  }
  const { valid, type, error } = result.check()
  return valid ? { type: type ?? 'dyn' } : { error: error?.summary ?? 'is not valid', range: error?.range }
}

/**
 * The value of a CEL expression as JSON: ints and uints become numbers, timestamps and durations text, bytes
 * base64. Throws DevflowError INVALID `expression_failed` naming the expression, also when it takes longer than
 * 250 ms or its value is larger than 4 MB.
 */
export function evaluate(expression: string, scope: Scope): unknown {
  try {
    const { locals = {}, ...names } = scope
    const parsed = parseExpression(expression, Object.keys(locals).sort())
    const known = { ...names, ...locals, ...countsIn(locals) }
    return withinTime(EVALUATION_MS, () => {
      try {
        return jsonOf(parsed(known))
      } catch (error) {
        if (!/^Unsupported type/.test(summaryOf(error))) throw error
        return jsonOf(parsed(withMaps(known)))
      }
    })
  } catch (error) {
    throw expressionFailed(expression, summaryOf(error), error)
  }
}

/** cel-js takes what an object names `constructor` for its class. It has no such trouble with maps. */
function withMaps(known: Record<string, unknown>): Record<string, unknown> {
  const copy = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(copy)
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([key, item]) => [key, copy(item)] as const)
    return Object.hasOwn(value, 'constructor') ? new Map(entries) : Object.fromEntries(entries)
  }
  return Object.fromEntries(Object.entries(known).map(([name, value]) => [name, copy(value)]))
}

/** They are ints, which JSON does not know: as a double none of them could say where a text is to be cut. */
function countsIn(locals: Record<string, unknown>): Record<string, bigint> {
  const counts: Record<string, bigint> = {}
  for (const name of ['index', 'iteration']) {
    const count = locals[name]
    if (Number.isSafeInteger(count)) counts[name] = BigInt(count as number)
  }
  return counts
}

export function expressionFailed(expression: string, reason: string, cause?: unknown): DevflowError {
  const shown = expression.length > 200 ? `${expression.slice(0, 200)}…` : expression
  return new DevflowError('INVALID', 'expression_failed', `\${{ ${shown} }}: ${reason}`, { cause })
}

function parseExpression(expression: string, locals: readonly string[] = []): ParseResult {
  if (expression.trim() === '') throw new ExpressionRefused('the expression is empty')
  if (expression.length > MAX_EXPRESSION) {
    throw new ExpressionRefused(`is longer than ${MAX_EXPRESSION} characters`)
  }
  return parsed.get(`${locals.join(' ')}\n${expression}`, () => environmentWith(locals).parse(expression))
}

class ExpressionRefused extends Error {}

function summaryOf(error: unknown): string {
  if (error instanceof TimeLimitError) return 'took too long'
  if (error instanceof ExpressionRefused || error instanceof ResultTooLarge) return error.message
  // The messages of cel-js quote the source with a marker over several lines; its summaries do not.
  if (error instanceof Error && 'summary' in error && typeof error.summary === 'string') {
    return error.summary.split('\n')[0] ?? ''
  }
  return error instanceof Error ? error.message : String(error)
}
