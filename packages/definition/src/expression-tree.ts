import type { ASTNode } from '@marcbachmann/cel-js'

export type Child = [node: ASTNode, bound: string | undefined, inHas: boolean]
export const asIs = (node: ASTNode): Child => [node, undefined, false]

/** A field, a place in a list; undefined when it is computed. */
export type Step = string | number | undefined

export interface Chain {
  root: string
  steps: Step[]
}

/** `root.a["b"][0]` taken apart; a computed index is an unknown step. */
export function chainOf(node: ASTNode): Chain | undefined {
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

export function indicesOf(node: ASTNode): ASTNode[] {
  if (node.op === '.') return indicesOf(node.args[0])
  if (node.op === '[]') return [...indicesOf(node.args[0]), node.args[1]]
  return []
}

export const BINDING_MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])

/** The nodes below a node, each with the name that is bound in it and whether it stands in `has(…)`. */
export function childrenOf(node: ASTNode): Child[] {
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
