import { DevflowError, type ErrorDetail } from '@devflow/contracts'
import { checkExpression } from './cel.ts'
import { type Names, nameErrors } from './expression-names.ts'
import { typeOf } from './expression-types.ts'
import { hasExpression, partsOf } from './interpolation.ts'
import { pathText } from './path.ts'
import type { Range } from './text-edits.ts'

/** Types an expression may have in a place; cel-js calls what it cannot know `dyn`. */
const TYPES = {
  any: undefined,
  bool: ['bool', 'dyn'],
  time: ['string', 'google.protobuf.Timestamp', 'dyn'],
  list: ['list', 'dyn'],
} as const

/** Checks the expressions in a text: that they can be read, fit in type, and name what is there. */
export function textErrors(
  text: string,
  path: readonly PropertyKey[],
  names: Names,
  expected: keyof typeof TYPES = 'any',
): ErrorDetail[] {
  const at = pathText(path)
  try {
    return partsOf(text)
      .flatMap((part) =>
        'expression' in part ? expressionErrors(part.expression, names, TYPES[expected]) : [],
      )
      .map((message) => ({ path: at, message }))
  } catch (error) {
    if (error instanceof DevflowError) return [{ path: at, message: error.message }]
    throw error
  }
}

function expressionErrors(expression: string, names: Names, types: readonly string[] | undefined): string[] {
  const tell = (message: string) => `\${{ ${expression} }}: ${message}`
  const fault = ({ error, range }: { error: string; range?: Range | undefined }) =>
    tell(error + partIn(expression, range) + remedy(error) + nameHint(expression, error))
  const checked = checkExpression(expression, names.locals.keys())
  if ('error' in checked) return [fault(checked)]
  const wrong = nameErrors(checked.ast, names)
  if (wrong.length > 0) return wrong.map(tell)
  const typed = typeOf(checked.ast, names)
  if ('error' in typed) return [fault(typed)]
  const type = checked.type === 'dyn' ? typed.type : checked.type
  // A list says of what: list<dyn>.
  return !types || types.includes(type.replace(/<.*$/, ''))
    ? []
    : [tell(`has type ${type}, expected ${types[0]}`)]
}

/** The part of an expression that is meant, where that is not the whole of it. */
function partIn(expression: string, range: Range | undefined): string {
  const part = range && expression.slice(range.start, range.end)
  return part && part !== expression ? ` in ${part} (character ${range.start + 1})` : ''
}

function remedy(error: string): string {
  if (/^(no such|found no matching) overload/.test(error))
    return '; string(…), int(…), double(…) turn one type into another'
  return /must (be|return) bool|requires bool/.test(error) ? '; compare it with something' : ''
}

function nameHint(expression: string, error: string): string {
  if (!error.startsWith('Unknown variable')) return ''
  if (/Unknown variable: (item|index|iteration|last)$/.test(error))
    return ', which is known inside map and cycle only'
  const dashed = /\b(phases|artifacts|input)\.(\w+-[\w-]+)/.exec(expression)
  if (dashed) return `; a name with a dash is written ${dashed[1]}["${dashed[2]}"]`
  return '; an expression knows input, artifacts, phases and run'
}

/** Errors for a JSON value whose strings may hold expressions. */
export function valueErrors(value: unknown, path: readonly PropertyKey[], names: Names): ErrorDetail[] {
  if (typeof value === 'string') return textErrors(value, path, names)
  if (value === null || typeof value !== 'object') return []
  const items: [PropertyKey, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return items.flatMap(([key, item]) => valueErrors(item, [...path, key], names))
}

/** Strings that hold an expression where none is evaluated; `allowed` says where they may stand. */
export function strayExpressions(
  value: unknown,
  path: readonly PropertyKey[],
  allowed: (path: readonly PropertyKey[]) => boolean,
): ErrorDetail[] {
  if (allowed(path)) return []
  if (typeof value === 'string') {
    return hasExpression(value)
      ? [{ path: pathText(path), message: 'an expression is not evaluated here' }]
      : []
  }
  if (value === null || typeof value !== 'object') return []
  const items: [PropertyKey, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return items.flatMap(([key, item]) => strayExpressions(item, [...path, key], allowed))
}
