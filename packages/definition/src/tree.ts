import { kindOf, type Phase, type PhaseKind } from '@devflow/contracts'

/** A phase of a template with what is around it and in it. */
export interface PhaseNode {
  name: string
  phase: Phase
  kind: PhaseKind
  /** The phase it is in. */
  parent: PhaseNode | undefined
  /** Which of its parent's lists it stands in (a branch of `parallel`; 0 elsewhere), and where there, from 1. */
  branch: number
  index: number
  /** What is inside: the branches of `parallel`, the one list of `map` and `cycle`. */
  lists: PhaseNode[][]
}

export interface PhaseTree {
  roots: PhaseNode[]
  /** All phases by name: names are unique in a template, however deep. */
  nodes: ReadonlyMap<string, PhaseNode>
}

/**
 * Where one running of a phase stands in its run: its place in the list; inside others, for each of them from the
 * outermost, which generation of it (the attempt its insides began anew with), which group (branch from 0, item from
 * 0, iteration from 1), and the place in that list. Ordered by it, a run reads from top to bottom.
 */
export type Position = readonly number[]
/** Numbers each level adds to a position. */
export const LEVEL = 3

/** The lists of phases inside a phase. */
export function listsIn(phase: Phase): Phase[][] {
  if ('parallel' in phase) return phase.parallel.branches
  if ('map' in phase) return [phase.map.phases]
  return 'cycle' in phase ? [phase.cycle.phases] : []
}

const trees = new WeakMap<readonly Phase[], PhaseTree>()

/** The tree of a list of phases; made once. */
export function treeOf(phases: readonly Phase[]): PhaseTree {
  const known = trees.get(phases)
  if (known) return known
  const nodes = new Map<string, PhaseNode>()
  const list = (parent: PhaseNode | undefined, inside: readonly Phase[], branch: number): PhaseNode[] =>
    inside.map((phase, at) => {
      const node: PhaseNode = {
        name: phase.id,
        phase,
        kind: kindOf(phase),
        parent,
        branch,
        index: at + 1,
        lists: [],
      }
      nodes.set(phase.id, node)
      node.lists = listsIn(phase).map((nested, nestedBranch) => list(node, nested, nestedBranch))
      return node
    })
  const tree = { roots: list(undefined, phases, 0), nodes }
  trees.set(phases, tree)
  return tree
}

/** The phases around a phase, the outermost first. */
export function around(node: PhaseNode): PhaseNode[] {
  return node.parent ? [...around(node.parent), node.parent] : []
}

/** The name in the id of one running of a phase: `review` of `review[3]#2`, and of `review~2.1`, an agent it asked for help. */
export function nameIn(id: string): string {
  return id.replace(/[[#~].*$/s, '')
}

/**
 * The id of one running of a phase: its name, then from the outermost phase around it `[item]` for each map and
 * `#iteration` for each cycle. What a composite runs again by its `retry` has `#attempt` in the same place; where
 * one around it was run again, every one with a `retry` says its attempt, so that no two ids are alike.
 */
export function instanceId(node: PhaseNode, position: Position): string {
  const outer = around(node)
  const generations = outer.map((_, level) => position[level * LEVEL + 1] ?? 1)
  const anew = generations.some((generation) => generation > 1)
  const marks = outer.map((composite, level) => {
    const group = position[level * LEVEL + 2] ?? 0
    const again = anew && composite.phase.retry !== undefined ? `#${generations[level]}` : ''
    if (composite.kind === 'map') return `${again}[${group}]`
    return composite.kind === 'cycle' ? `${again}#${group}` : again
  })
  return node.name + marks.join('')
}

/** Where a phase inside another stands. */
export function positionIn(
  outer: Position,
  generation: number,
  group: number,
  { index }: PhaseNode,
): Position {
  return [...outer, generation, group, index]
}

/** The part of an artifact's name that tells items of maps apart: of two, each has its own `note[0]`, `note[1]`. */
export function itemMarks(node: PhaseNode, position: Position): string {
  return around(node)
    .map(({ kind }, level) => (kind === 'map' ? `[${position[level * LEVEL + 2]}]` : ''))
    .join('')
}
