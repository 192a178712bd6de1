import type { FunctionEntry } from '@devflow/contracts'
import { type BoundFunction, durationMs, type ErrorDetail, type TemplateEntry } from '@devflow/contracts'
import { functionErrors } from './check-entry.ts'
import { strayExpressions } from './check-expressions.ts'
import { compareText } from './entry-id.ts'
import { checkValue } from './json-schema.ts'
import { pathText, pathUnder } from './path.ts'
import { placesOf } from './places.ts'
import { isKind, type Registry, type RegistryEntry } from './registry.ts'

/** Functions by the names that phases call them by. */
export type BoundFunctions = Record<string, BoundFunction>

const DEFAULT_TIMEOUT_MS = 30_000

interface Call {
  name: string
  /** Where the name stands, and the input. */
  at: PropertyKey[]
  inputAt: PropertyKey[]
  input: unknown
}

/** The functions a template's phases call, frozen with their sources; what is wrong with a call goes to `errors`. */
export function functionsOf(
  template: TemplateEntry,
  registry: Registry,
  errors: ErrorDetail[],
): BoundFunctions {
  const bound = new Map<string, BoundFunction>()
  for (const call of callsOf(template)) {
    const { name, at } = call
    const found = registry.get(name)
    if (!isKind(found, 'function')) {
      errors.push({ path: pathText(at), message: `there is no function ${name}` })
      continue
    }
    const known = bound.get(name)
    const called = known ?? boundFunction(found)
    if (!known) {
      const [fault] = functionErrors(found.entry)
      if (fault) errors.push({ path: pathText(at), message: `${found.id}: ${fault.path}: ${fault.message}` })
      else bound.set(name, called)
      if (fault) continue
    }
    errors.push(...inputErrors(call, called))
  }
  return Object.fromEntries([...bound].sort(([a], [b]) => compareText(a, b)))
}

function callsOf(template: TemplateEntry): Call[] {
  return placesOf(template, new Map()).places.flatMap(({ node: { phase }, path }): Call[] => {
    const calls: Call[] = []
    if ('function' in phase) {
      const { name, input } = phase.function
      const base = [...path, 'function']
      calls.push({ name, input, at: [...base, 'name'], inputAt: [...base, 'input'] })
    }
    if (phase.compensate) {
      const { function: name, input } = phase.compensate
      const base = [...path, 'compensate']
      calls.push({ name, input, at: [...base, 'function'], inputAt: [...base, 'input'] })
    }
    return calls
  })
}

/** An input without expressions is known already. */
function inputErrors({ input = {}, inputAt }: Call, called: BoundFunction): ErrorDetail[] {
  if (strayExpressions(input, [], () => false).length > 0) return []
  return checkValue(called.input, input).map(({ path, message }) => ({
    path: pathUnder(pathText(inputAt), path),
    message: `${message} (${called.id})`,
  }))
}

function boundFunction({ id, hash, entry }: RegistryEntry<FunctionEntry>): BoundFunction {
  const { source, input = {}, output = {}, timeout, effects = 'external', permissions = {} } = entry
  const { net = [], env = [], read = [], write = [] } = permissions
  return {
    id,
    hash,
    source,
    input,
    output,
    timeoutMs: timeout === undefined ? DEFAULT_TIMEOUT_MS : durationMs(timeout),
    effects,
    permissions: { net, env, read, write },
  }
}
