import type { Expression } from './case.ts'

/** What an expression speaks of, as it is where the expression stands; undefined where there is none. */
export interface Sight {
  phase: (name: string, field: string | number | undefined) => unknown
  artifact: (name: string) => unknown
  /** `input`, and what maps and cycles around it name. */
  local: (name: string) => unknown
}

/** It speaks of what is not there, or is of another type. */
export class Unseen extends Error {}

export function evaluated(expression: Expression, sight: Sight): unknown {
  const holds = (part: Expression) => evaluated(part, sight) === true
  if ('get' in expression) return got(expression.get, sight)
  if ('more' in expression) return numberOf(evaluated(expression.more, sight)) > expression.than
  if ('same' in expression) return evaluated(expression.same, sight) === expression.as
  if ('not' in expression) return !holds(expression.not)
  if ('both' in expression) return expression.both.every(holds)
  if ('plus' in expression) return numberOf(evaluated(expression.plus[0], sight)) + expression.plus[1]
  const list = evaluated(expression.sizeOf, sight)
  if (!Array.isArray(list)) throw new Unseen()
  return list.length
}

function got([root, ...path]: (string | number)[], sight: Sight): unknown {
  let [value, rest] = [sight.local(String(root)), path]
  if (root === 'phases') [value, rest] = [sight.phase(String(path[0]), path[1]), path.slice(2)]
  if (root === 'artifacts') [value, rest] = [sight.artifact(String(path[0])), path.slice(1)]
  if (value === undefined) throw new Unseen()
  for (const step of rest) {
    if (value === null || typeof value !== 'object' || !(step in value)) throw new Unseen()
    value = (value as Record<string | number, unknown>)[step]
  }
  return value
}

function numberOf(value: unknown): number {
  if (typeof value !== 'number') throw new Unseen()
  return value
}
