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
  /** It may begin anew with all of its inside: by its own `retry`, or since a gate may send the run back over it. */
  repeats: boolean
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
        repeats: phase.retry !== undefined,
      }
      nodes.set(phase.id, node)
      node.lists = listsIn(phase).map((nested, nestedBranch) => list(node, nested, nestedBranch))
      return node
    })
  const tree = { roots: list(undefined, phases, 0), nodes }
  for (const gate of nodes.values()) {
    const [first] = targetsOf(gate, nodes)
      .map((target) => roundStart(target, gate)?.index ?? gate.index)
      .sort((a, b) => a - b)
    for (const between of siblings(gate, tree.roots))
      if (first !== undefined && between.index >= first && between.index < gate.index) between.repeats = true
  }
  trees.set(phases, tree)
  return tree
}

/** The phases that a gate may send the run back to. */
function targetsOf({ phase }: PhaseNode, nodes: ReadonlyMap<string, PhaseNode>): PhaseNode[] {
  if (!('gate' in phase)) return []
  const { allowChanges, onReject } = phase.gate
  return [allowChanges, typeof onReject === 'object' ? onReject.goto : undefined].flatMap((name) => {
    const target = name === undefined ? undefined : nodes.get(name)
    return target ? [target] : []
  })
}

const siblings = ({ parent, branch }: PhaseNode, roots: PhaseNode[]): PhaseNode[] =>
  parent ? (parent.lists[branch] ?? []) : roots

/**
 * What a gate sends the run back to, to begin at `target` anew: the phase before the gate in its list that is the target,
 * or holds it. Undefined where there is none.
 */
export function roundStart(target: PhaseNode, gate: PhaseNode): PhaseNode | undefined {
  return [...around(target), target].find(
    ({ parent, branch, index }) => parent === gate.parent && branch === gate.branch && index < gate.index,
  )
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
 * `#iteration` for each cycle. What a composite runs again has `#attempt` in the same place; where one around it was run
 * again, every one that may be says its attempt, so that no two ids are alike.
 */
export function instanceId(node: PhaseNode, position: Position): string {
  const outer = around(node)
  const generations = outer.map((_, level) => position[level * LEVEL + 1] ?? 1)
  const anew = generations.some((generation) => generation > 1)
  const marks = outer.map((composite, level) => {
    const group = position[level * LEVEL + 2] ?? 0
    const again = anew && composite.repeats ? `#${generations[level]}` : ''
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
