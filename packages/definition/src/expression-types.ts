import type { JsonSchema } from '@devflow/contracts'
import type { ASTNode } from '@marcbachmann/cel-js'
import { typeOfText } from './cel.ts'
import { type Names, schemaAlong, schemaOf } from './expression-names.ts'
import { BINDING_MACROS, chainOf, childrenOf, indicesOf, type Step } from './expression-tree.ts'
import { celTypeOf, schemaOfValues } from './schema-types.ts'
import { Edits, type Range } from './text-edits.ts'

/** The type of an expression, `dyn` where it is not known, or what does not fit in it and where. */
export type TypedExpression = { type: string } | { error: string; range: Range | undefined }

/** Names that macros bind, with the schema of what they stand for. */
type Bound = ReadonlyMap<string, JsonSchema | undefined>

/**
 * Checks an expression by what schemas say of the names in it. cel-js can give types to variables, yet knows nothing of
 * fields of objects and of values that may be null; so each name, with all that leads on from it, becomes one variable
 * of its type: `item.title + 1` is checked as `__string + 1`. Nothing is refused that could work: what is not known is dyn.
 */
export function typeOf(root: ASTNode, names: Names, bound: Bound = new Map()): TypedExpression {
  const edits = new Edits(root.input, root.range)
  const indices: [ASTNode, Bound][] = []
  const leaveOpen = (node: ASTNode) => edits.around(node.range, 'dyn(', ')')

  const visit = (node: ASTNode, inside: Bound, isCompared: boolean): void => {
    const chain = chainOf(node)
    if (chain && isKnown(chain.root, names, inside)) {
      const { type, isNullable } = celTypeOf(schemaOfChain(chain, names, inside))
      edits.replace(node.range, `__${isNullable && isCompared ? 'dyn' : type}`)
      for (const index of indicesOf(node)) if (index.op !== 'value') indices.push([index, inside])
      return
    }
    // Whether a field is there says nothing of its type, and has(…) takes no variable.
    if (node.op === 'call' && node.args[0] === 'has') {
      edits.replace(node.range, '__bool')
      return
    }
    for (const open of openParts(node, names, inside)) leaveOpen(open)
    const compares = node.op === '==' || node.op === '!=' || node.op === 'in'
    for (const [child, name] of childrenOf(node))
      visit(child, name === undefined ? inside : binding(node, name, names, inside), compares)
  }
  visit(root, bound, false)

  const { text, origins } = edits.result()
  const unknown = [...bound].flatMap(([name, schema]) => (schema === undefined ? [name] : []))
  const checked = typeOfText(text, unknown)
  if ('error' in checked) {
    const start = origins[checked.range?.start ?? -1]?.start
    const end = origins[(checked.range?.end ?? 0) - 1]?.end
    const range = start === undefined || end === undefined ? undefined : { start, end }
    return { error: checked.error, range }
  }
  for (const [index, inside] of indices) {
    const found = typeOf(index, names, inside)
    if ('error' in found) return found
  }
  return checked
}

function isKnown(root: string, { locals }: Names, bound: Bound): boolean {
  if (bound.has(root)) return bound.get(root) !== undefined
  return ['input', 'artifacts', 'phases', 'run'].includes(root) || locals.has(root)
}

function schemaOfChain({ root, steps }: { root: string; steps: Step[] }, names: Names, bound: Bound) {
  return bound.has(root) ? schemaAlong(bound.get(root), steps) : schemaOf(root, steps, names)
}

/**
 * What CEL would have of one type and what works with any when it is evaluated: the branches of a condition, what is
 * compared with null, lists of numbers with other lists, what is looked for in a list, an index that is a JSON number.
 */
function openParts(node: ASTNode, names: Names, bound: Bound): ASTNode[] {
  if (node.op === '?:') return node.args.slice(1)
  if (node.op === '[]') return [node.args[1]]
  if (node.op === 'in') {
    const [left] = node.args
    const { type } = celTypeOf(schemaOfNode(left, names, bound))
    return type === 'string' || type === 'bool' ? [] : [left]
  }
  if (node.op === '==' || node.op === '!=') return node.args.some(isOpen) ? node.args : []
  if (node.op === '+') return node.args.some(isList) ? node.args : []
  return []
}

const isOpen = (node: ASTNode): boolean =>
  (node.op === 'value' && node.args === null) ||
  (node.op === 'call' && node.args[0] === 'uint') ||
  isList(node)

function isList(node: ASTNode): boolean {
  if (node.op === '+') return node.args.some(isList)
  return node.op === 'list' || (node.op === 'rcall' && (node.args[0] === 'map' || node.args[0] === 'filter'))
}

/** The names inside a macro. */
function binding(node: ASTNode, name: string, names: Names, bound: Bound): Bound {
  const isMacro = node.op === 'rcall' && BINDING_MACROS.has(node.args[0])
  const over = isMacro ? schemaOfNode(node.args[1], names, bound) : undefined
  const { type } = celTypeOf(over)
  const element: JsonSchema | undefined =
    type === 'map' ? { type: 'string' } : type === 'list' ? schemaAlong(asList(over), [undefined]) : undefined
  return new Map(bound).set(name, element)
}

const asList = (schema: JsonSchema | undefined): JsonSchema => ({ ...schema, type: 'array' })

/** The schema of an expression's value, where that is one of the names, or a list made of them. */
export function schemaOfNode(node: ASTNode, names: Names, bound: Bound = new Map()): JsonSchema | undefined {
  const chain = chainOf(node)
  if (chain) return isKnown(chain.root, names, bound) ? schemaOfChain(chain, names, bound) : undefined
  if (node.op === 'value') {
    if (typeof node.args === 'bigint') return { type: 'number' }
    return typeof node.args === 'object' && node.args !== null ? undefined : schemaOfValues([node.args])
  }
  if (node.op === 'list') {
    const items = node.args.map((item) => schemaOfNode(item, names, bound))
    const [first] = items
    const isOne = items.every((item) => JSON.stringify(item) === JSON.stringify(first))
    return { type: 'array', items: (isOne && first) || {} }
  }
  if (node.op !== 'rcall') return undefined
  const [method, receiver, args] = node.args
  if (method === 'filter') return schemaOfNode(receiver, names, bound)
  if (method !== 'map' || args[0]?.op !== 'id') return undefined
  const body = args.at(-1)
  const items = body && schemaOfNode(body, names, binding(node, args[0].args, names, bound))
  return { type: 'array', items: items ?? {} }
}
