import type { ErrorDetail, PutTrigger } from '@devflow/contracts'
import { textErrors, valueErrors } from './check-expressions.ts'
import type { Names } from './expression-names.ts'
import { EVENT } from './locals.ts'
import { oneExpression } from './one-expression.ts'

/** What a trigger's expressions may name: nothing of a run, since there is none yet. */
const NAMES: Names = {
  input: { type: 'object', additionalProperties: false },
  artifacts: new Map(),
  phases: new Map(),
  locals: new Map([['event', EVENT]]),
}

/** What is wrong with the expressions of a trigger. */
export function triggerErrors({ match, submit: { input, labels } }: PutTrigger): ErrorDetail[] {
  return [
    ...oneExpression(match, 'match'),
    ...(match === undefined ? [] : textErrors(match, ['match'], NAMES, 'bool')),
    ...valueErrors(input, ['submit', 'input'], NAMES),
    ...valueErrors(labels, ['submit', 'labels'], NAMES),
  ]
}
