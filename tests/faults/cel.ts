import type { Expression } from './case.ts'

/** An expression as it stands in a template. */
export const written = (expression: Expression): string => `\${{ ${cel(expression)} }}`

function cel(expression: Expression): string {
  if ('get' in expression)
    return expression.get
      .map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`))
      .join('')
  if ('more' in expression) return `${cel(expression.more)} > ${expression.than}`
  if ('same' in expression) return `${cel(expression.same)} == ${JSON.stringify(expression.as)}`
  if ('not' in expression) return `!(${cel(expression.not)})`
  if ('both' in expression) return expression.both.map((part) => `(${cel(part)})`).join(' && ')
  if ('plus' in expression) return `${cel(expression.plus[0])} + ${expression.plus[1]}`
  return `size(${cel(expression.sizeOf)})`
}
