import type { JsonSchema } from '@devflow/contracts'
import type { ASTNode } from '@marcbachmann/cel-js'
import { schemaAt } from './schema-at.ts'

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
  /** Names of maps and cycles around the expression: `item`, `index`, `iteration`, `last`, and what `as` says. */
  locals: ReadonlySet<string>
}

type Child = [node: ASTNode, bound: string | undefined, inHas: boolean]
const asIs = (node: ASTNode): Child => [node, undefined, false]

type Step = string | number | undefined

/** Names in an expression that nothing stands behind, in words. Fields are followed as far as schemas tell. */
export function nameErrors(ast: ASTNode, names: Names): string[] {
  const errors = new Set<string>()
  const report = (message: string | undefined) => message !== undefined && errors.add(message)

  const visit = (node: ASTNode, bound: ReadonlySet<string>, asked: boolean): void => {
    const chain = chainOf(node)
    if (chain && !bound.has(chain.root)) report(chainError(chain.root, chain.steps, names, asked))
    // A chain has been looked at as a whole; of its inside only computed indices are left.
    const children = chain ? indicesOf(node).map(asIs) : childrenOf(node)
    for (const [child, also, inHas] of children) {
      visit(child, also === undefined ? bound : new Set([...bound, also]), asked || inHas)
    }
  }
  visit(ast, new Set(), false)
  return [...errors]
}

/** `root.a["b"][0]` taken apart; a computed index is an unknown step. */
function chainOf(node: ASTNode): { root: string; steps: Step[] } | undefined {
  if (node.op === 'id') return { root: node.args, steps: [] }
  if (node.op !== '.' && node.op !== '[]') return undefined
  const inner = chainOf(node.args[0])
  if (!inner) return undefined
  return { root: inner.root, steps: [...inner.steps, node.op === '.' ? node.args[1] : literal(node.args[1])] }
}

function literal(node: ASTNode): Step {
  if (node.op !== 'value') return undefined
  if (typeof node.args === 'string') return node.args
  return typeof node.args === 'bigint' ? Number(node.args) : undefined
}

function indicesOf(node: ASTNode): ASTNode[] {
  if (node.op === '.') return indicesOf(node.args[0])
  if (node.op === '[]') return [...indicesOf(node.args[0]), node.args[1]]
  return []
}

const BINDING_MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])

/** The nodes below a node, each with the name that is bound in it and whether it stands in `has(…)`. */
function childrenOf(node: ASTNode): Child[] {
  const plain = (nodes: readonly ASTNode[]) => nodes.map(asIs)
  switch (node.op) {
    case 'value':
    case 'id':
      return []
    case '.':
    case '.?':
      return plain([node.args[0]])
    case 'call':
      return node.args[1].map((child) => [child, undefined, node.args[0] === 'has'])
    case 'rcall': {
      const [name, receiver, args] = node.args
      const [first, ...rest] = args
      if (first?.op !== 'id') return plain([receiver, ...args])
      const variable = first.args
      if (BINDING_MACROS.has(name)) {
        return [
          [receiver, undefined, false],
          ...rest.map((child) => [child, variable, false] as [ASTNode, string, boolean]),
        ]
      }
      if (name === 'bind' && receiver.op === 'id' && receiver.args === 'cel' && rest[0] && rest[1]) {
        return [
          [rest[0], undefined, false],
          [rest[1], variable, false],
        ]
      }
      return plain([receiver, ...args])
    }
    case '!_':
    case '-_':
      return plain([node.args])
    case 'list':
      return plain(node.args)
    case 'map':
      return plain(node.args.flat())
    default:
      return plain(node.args)
  }
}

function chainError(root: string, steps: Step[], names: Names, asked: boolean): string | undefined {
  const [name, ...rest] = steps
  switch (root) {
    case 'input':
      return fieldError('input', names.input, steps)
    case 'artifacts': {
      if (typeof name !== 'string') return undefined
      const artifact = names.artifacts.get(name)
      if (!artifact) return `artifacts.${name}: the template has no artifact ${name}`
      // Inside has(…) an artifact of a later phase is a fair question: a gate may have sent the run back.
      if (!artifact.ready && !asked) return `artifacts.${name}: no earlier phase produces ${name}`
      if (artifact.within !== undefined)
        return `artifacts.${name}: is made for each item of ${artifact.within}: see phases.${artifact.within}.output`
      return fieldError(`artifacts.${name}`, artifact.schema, rest)
    }
    case 'phases': {
      if (typeof name !== 'string') return undefined
      const phase = names.phases.get(name)
      if (!phase) return `phases.${name}: the template has no phase ${name}`
      if (!phase.ready && !asked) return `phases.${name}: ${name} is not an earlier phase`
      if (phase.within !== undefined)
        return `phases.${name}: ${name} runs inside ${phase.within}: see phases.${phase.within}.output`
      const [field, ...inside] = rest
      if (field === 'output') return fieldError(`phases.${name}.output`, phase.output, inside)
      if (field === undefined || field === 'status') return undefined
      return `phases.${name}.${field}: a phase has output and status`
    }
    default:
      return undefined
  }
}

function fieldError(start: string, schema: JsonSchema, steps: Step[]): string | undefined {
  let at: unknown = schema
  let path = start
  for (const step of steps) {
    const next = schemaAt(at, step)
    path += typeof step === 'string' ? `.${step}` : `[${step ?? ''}]`
    if (next === 'missing') return `${path}: not in the schema of ${start}`
    if (next === 'open') return undefined
    at = next.schema
  }
  return undefined
}
