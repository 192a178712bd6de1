import type { ErrorDetail, PutSchedule } from '@devflow/contracts'
import { valueErrors } from './check-expressions.ts'
import type { Names } from './expression-names.ts'
import { SCHEDULE } from './locals.ts'
import { type CompiledSpec, compileSpec } from './schedule/compile-spec.ts'
import { scheduleTimes } from './schedule/times.ts'

/** What a schedule's expressions may name: nothing of a run, since there is none yet. */
const NAMES: Names = {
  input: { type: 'object', additionalProperties: false },
  artifacts: new Map(),
  phases: new Map(),
  locals: new Map([['schedule', SCHEDULE]]),
}

/** What is wrong with the times and the expressions of a schedule. */
export function scheduleErrors({ spec, submit: { input, labels } }: PutSchedule): ErrorDetail[] {
  const { compiled, errors } = compileSpec(spec)
  return [
    ...errors,
    ...(errors.length > 0 || namesATime(compiled)
      ? []
      : [{ path: 'spec', message: 'it names no time at all' }]),
    ...valueErrors(input, ['submit', 'input'], NAMES),
    ...valueErrors(labels, ['submit', 'labels'], NAMES),
  ]
}

function namesATime(spec: CompiledSpec): boolean {
  const unbound = { ...spec, startAt: Number.NEGATIVE_INFINITY, endAt: Number.POSITIVE_INFINITY }
  return scheduleTimes(unbound, { after: new Date('1999-12-31T00:00:00Z'), most: 1 }).length > 0
}
