import { DevflowError, type ErrorDetail } from '@devflow/contracts'
import { hasExpression, type Part, partsOf } from './interpolation.ts'

/** A text whose value is not text must be one expression. */
export function oneExpression(value: unknown, path: string): ErrorDetail[] {
  if (typeof value !== 'string') return []
  if (!hasExpression(value)) return [{ path, message: `expected an expression: \${{ ${value} }}` }]
  return isOneExpression(value) ? [] : [{ path, message: 'expected one expression and nothing around it' }]
}

/** Whether a text is one expression and nothing else. One that does not end is reported where expressions are checked. */
export function isOneExpression(text: string): boolean {
  const parts = readable(text)
  return parts === undefined || only(parts) !== undefined
}

/** The expression that a text is, and nothing else. */
export function onlyExpression(text: string): string | undefined {
  return only(readable(text) ?? [])
}

function readable(text: string): Part[] | undefined {
  try {
    return partsOf(text.trim())
  } catch (error) {
    if (error instanceof DevflowError) return undefined
    throw error
  }
}

function only([first, ...more]: readonly Part[]): string | undefined {
  return first && 'expression' in first && more.length === 0 ? first.expression : undefined
}
