import { DevflowError } from '@devflow/contracts'
import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js'
import { jsonOf, ResultTooLarge } from './cel-result.ts'
import { Recent } from './recent.ts'
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
export type CheckedExpression = { ast: ASTNode; type: string } | { error: string }

export function checkExpression(expression: string, locals: Iterable<string> = []): CheckedExpression {
  try {
    const result = parseExpression(expression, [...locals].sort())
    const { valid, type, error } = result.check()
    if (!valid) return { error: error?.summary ?? 'is not valid' }
    return { ast: result.ast, type: type ?? 'dyn' }
  } catch (error) {
    return { error: summaryOf(error) }
  }
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
    return withinTime(EVALUATION_MS, () => jsonOf(parsed({ ...names, ...locals })))
  } catch (error) {
    throw expressionFailed(expression, summaryOf(error), error)
  }
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
