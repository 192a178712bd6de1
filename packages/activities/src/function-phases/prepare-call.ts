import { type BoundFunction, type Definition, DevflowError, type ErrorDetail } from '@devflow/contracts'
import { checkValue, evaluateValue } from '@devflow/definition'
import type { Deps } from '../deps.ts'
import { scopeOf, type View } from '../scope/index.ts'

/** A function as this run has it pinned (I9). */
export function boundFunction(definition: Definition, name: string): BoundFunction {
  const called = definition.functions?.[name]
  if (!called) throw new DevflowError('INTERNAL', 'unknown_function', `This run has no function ${name}.`)
  return called
}

/** What a function is given. Throws INVALID `function_input_invalid`, and what the expressions throw. */
export async function inputFor(
  deps: Deps,
  called: BoundFunction,
  view: View,
  said: unknown,
): Promise<unknown> {
  const input = deps.scrub(evaluateValue(said ?? {}, await scopeOf(view, [said])))
  const faults = checkValue(called.input, input)
  if (faults.length > 0) {
    const message = `What ${called.id} would be given is not what it takes: ${first(faults)}`
    throw new DevflowError('INVALID', 'function_input_invalid', message, { errors: faults })
  }
  return input
}

/** What a function answered, if it is what it promises. Throws INTERNAL `function_output_invalid`. */
export function checkedOutput(called: BoundFunction, output: unknown): unknown {
  const faults = checkValue(called.output, output)
  if (faults.length === 0) return output
  const message = `What ${called.id} answered is not what it promises: ${first(faults)}`
  throw new DevflowError('INTERNAL', 'function_output_invalid', message, { errors: faults })
}

const first = ([fault]: readonly ErrorDetail[]) => `${fault?.path}: ${fault?.message}`
