import { DevflowError } from '@devflow/contracts'
import { evaluate, expressionFailed, type Scope } from './cel.ts'

/** A piece of a text: as it is, or the CEL between `${{` and `}}`. */
export type Part = { text: string } | { expression: string }

const OPEN = '${{'

/** Splits a text at its expressions. Throws DevflowError INVALID `expression_failed` where one does not end. */
export function partsOf(template: string): Part[] {
  const parts: Part[] = []
  let from = 0
  for (let open = template.indexOf(OPEN); open >= 0; open = template.indexOf(OPEN, from)) {
    if (open > from) parts.push({ text: template.slice(from, open) })
    const end = endOf(template, open + OPEN.length)
    if (end < 0) throw expressionFailed(template.slice(open + OPEN.length).trim(), 'has no closing }}')
    parts.push({ expression: template.slice(open + OPEN.length, end).trim() })
    from = end + 2
  }
  if (from < template.length) parts.push({ text: template.slice(from) })
  return parts
}

export function hasExpression(text: string): boolean {
  return text.includes(OPEN)
}

/** Where the closing `}}` of an expression stands; braces of maps and whatever stands in strings do not close it. */
function endOf(template: string, start: number): number {
  let depth = 0
  for (let i = start; i < template.length; i++) {
    const char = template[i]
    if (char === '"' || char === "'") i = endOfString(template, i)
    else if (char === '{') depth += 1
    else if (char === '}' && depth > 0) depth -= 1
    else if (char === '}' && template[i + 1] === '}') return i
  }
  return -1
}

/** The last character of a CEL string that starts at `start`, quoted once or three times. To cel-js a backslash covers the next character in raw strings too. */
function endOfString(template: string, start: number): number {
  const quote = template[start] ?? '"'
  const fence = template.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote
  for (let i = start + fence.length; i < template.length; i++) {
    if (template[i] === '\\') i += 1
    else if (template.startsWith(fence, i)) return i + fence.length - 1
  }
  return template.length
}

/** A text with its expressions replaced: strings as they are, everything else as JSON. */
export function render(template: string, scope: Scope): string {
  return partsOf(template)
    .map((part) => ('text' in part ? part.text : textOf(evaluate(part.expression, scope))))
    .join('')
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/**
 * A JSON value with the expressions in its strings evaluated: a string that is one expression becomes that
 * expression's value, other strings are rendered. Names of fields stay as they are.
 */
export function evaluateValue(value: unknown, scope: Scope): unknown {
  if (typeof value === 'string') {
    if (!hasExpression(value)) return value
    const [only, ...more] = partsOf(value.trim())
    return only && 'expression' in only && more.length === 0
      ? evaluate(only.expression, scope)
      : render(value, scope)
  }
  if (Array.isArray(value)) return value.map((item) => evaluateValue(item, scope))
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, evaluateValue(item, scope)]))
  }
  return value
}

/** Whether a phase's `when` holds; without one it does. Anything but true or false is `expression_failed`. */
export function isTrue(when: string | boolean | undefined, scope: Scope): boolean {
  if (when === undefined) return true
  const value = evaluateValue(when, scope)
  if (typeof value === 'boolean') return value
  const message = `when: expected true or false, got ${JSON.stringify(value)?.slice(0, 100)}`
  throw new DevflowError('INVALID', 'expression_failed', message)
}
