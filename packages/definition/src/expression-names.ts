import type { JsonSchema } from '@devflow/contracts'
import type { ASTNode } from '@marcbachmann/cel-js'
import { asIs, type Chain, chainOf, childrenOf, indicesOf, type Step } from './expression-tree.ts'
import { orNull, schemaAt } from './schema-at.ts'

/** What stands behind the names an expression may use. */
export interface Names {
  /** The schema of the run's input. */
  input: JsonSchema
  /** Declared artifacts, and those that can be there when the expression is evaluated. */
  artifacts: ReadonlyMap<string, { schema: JsonSchema; ready: boolean; within: string | undefined }>
  /**
   * All phases of the template; `ready` are those before the expression. `within`: the map or cycle they run in, when
   * the expression is not in it: what is many there has no name here.
   */
  phases: ReadonlyMap<string, { output: JsonSchema; ready: boolean; within: string | undefined }>
  /** What maps and cycles around the expression name, with its schema: `item`, `index`, `iteration`, `last`, and what `as` says. */
  locals: ReadonlyMap<string, JsonSchema>
}

/** Names in an expression that nothing stands behind, in words. Fields are followed as far as schemas tell. */
export function nameErrors(ast: ASTNode, names: Names): string[] {
  const errors = new Set<string>()
  const report = (message: string | undefined) => message !== undefined && errors.add(message)

  // What `has(…)` asks for somewhere may be used elsewhere: has(input.x) ? input.x : 0.
  const askedFor: Chain[] = []
  const isAskedFor = ({ root, steps }: Chain) =>
    askedFor.some((other) => other.root === root && other.steps.every((step, index) => step === steps[index]))

  const visit = (node: ASTNode, bound: ReadonlySet<string>, asked: boolean): void => {
    const chain = chainOf(node)
    if (chain && asked) askedFor.push(chain)
    if (chain && !bound.has(chain.root)) report(chainError(chain, names, asked, asked || isAskedFor(chain)))
    // A chain has been looked at as a whole; of its inside only computed indices are left.
    const children = chain ? indicesOf(node).map(asIs) : childrenOf(node)
    for (const [child, also, inHas] of children) {
      visit(child, also === undefined ? bound : new Set([...bound, also]), asked || inHas)
    }
  }
  visit(ast, new Set(), false)
  return [...errors]
}

/** `asked`: inside `has(…)`. `isFair`: a field may be asked for that a schema leaves open. */
function chainError(
  { root, steps }: Chain,
  names: Names,
  asked: boolean,
  isFair: boolean,
): string | undefined {
  const [name, ...rest] = steps
  switch (root) {
    case 'input':
      return fieldError('input', names.input, steps, isFair)
    case 'artifacts': {
      if (typeof name !== 'string') return undefined
      const artifact = names.artifacts.get(name)
      if (!artifact) return `artifacts.${name}: the template has no artifact ${name}`
      // Inside has(…) an artifact of a later phase is a fair question: a gate may have sent the run back.
      if (!artifact.ready && !asked) return `artifacts.${name}: no earlier phase produces ${name}`
      if (artifact.within !== undefined)
        return `artifacts.${name}: is made for each item of ${artifact.within}: see phases.${artifact.within}.output`
      return fieldError(`artifacts.${name}`, artifact.schema, rest, isFair)
    }
    case 'phases': {
      if (typeof name !== 'string') return undefined
      const phase = names.phases.get(name)
      if (!phase) return `phases.${name}: the template has no phase ${name}`
      if (!phase.ready && !asked) return `phases.${name}: ${name} is not an earlier phase`
      if (phase.within !== undefined)
        return `phases.${name}: ${name} runs inside ${phase.within}: see phases.${phase.within}.output`
      const [field, ...inside] = rest
      if (field === 'output') return fieldError(`phases.${name}.output`, phase.output, inside, isFair)
      if (field === undefined || field === 'status') return undefined
      return `phases.${name}.${field}: a phase has output and status`
    }
    default:
      return fieldError(root, names.locals.get(root) ?? {}, steps, isFair)
  }
}

/**
 * What schemas say of a name and the way from it; undefined where they say nothing. Phases have an output only once they are
 * completed: expressions see `null` before.
 */
export function schemaOf(root: string, steps: readonly Step[], names: Names): JsonSchema | undefined {
  const [name, field, ...inside] = steps
  if (root === 'artifacts' && typeof name === 'string')
    return schemaAlong(names.artifacts.get(name)?.schema, steps.slice(1))
  if (root === 'phases' && typeof name === 'string' && field === 'status') return { type: 'string' }
  if (root === 'phases' && typeof name === 'string' && field === 'output')
    return schemaAlong(orNull(names.phases.get(name)?.output ?? {}), inside)
  if (root === 'run') return schemaAlong(RUN, steps)
  return schemaAlong(root === 'input' ? names.input : names.locals.get(root), steps)
}

const RUN: JsonSchema = {
  type: 'object',
  properties: { id: { type: 'string' }, attempt: { type: 'integer' }, template: { type: 'string' } },
  additionalProperties: true,
}

/** Where the steps lead from a schema, as far as that can be told. */
export function schemaAlong(schema: JsonSchema | undefined, steps: readonly Step[]): JsonSchema | undefined {
  let at: unknown = schema
  for (const step of steps) {
    const next = schemaAt(at, step)
    if (typeof next === 'string') return undefined
    at = next.schema
  }
  return at !== null && typeof at === 'object' ? (at as JsonSchema) : undefined
}

function fieldError(start: string, schema: JsonSchema, steps: Step[], isFair: boolean): string | undefined {
  let at: unknown = schema
  let path = start
  for (const step of steps) {
    const next = schemaAt(at, step)
    path += typeof step === 'string' ? `.${step}` : `[${step ?? ''}]`
    if (next === 'missing' && isFair && leavesOpen(at)) return undefined
    if (next === 'missing') return `${path}: not in the schema of ${start}${known(at)}`
    if (next === 'open') return undefined
    at = next.schema
  }
  return undefined
}

const leavesOpen = (schema: unknown): boolean => {
  const { properties, additionalProperties } = schema as JsonSchema
  return properties !== undefined && additionalProperties === undefined
}

/** Fields there are instead. */
function known(schema: unknown): string {
  const { properties } = schema as { properties?: object }
  const fields = Object.keys(properties ?? {})
  return fields.length === 0
    ? ''
    : `, which has ${fields.slice(0, 10).join(', ')}${fields.length > 10 ? ', …' : ''}`
}
