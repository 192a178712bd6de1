import type { ErrorDetail } from '@devflow/contracts'
import { hasExpression, partsOf } from './interpolation.ts'

/** A text whose value is not text must be one expression. */
export function oneExpression(value: unknown, path: string): ErrorDetail[] {
  if (typeof value !== 'string') return []
  if (!hasExpression(value)) return [{ path, message: `expected an expression: \${{ ${value} }}` }]
  return isOneExpression(value) ? [] : [{ path, message: 'expected one expression and nothing around it' }]
}

/** Whether a text is one expression and nothing else. */
export function isOneExpression(text: string): boolean {
  try {
    const [only, ...more] = partsOf(text.trim())
    return more.length === 0 && only !== undefined && 'expression' in only
  } catch {
    // An expression that does not end is reported where expressions are checked.
    return true
  }
}
