import type { Definition } from '@devflow/contracts'
import { type PhaseProgress, type Progress, phasesById } from '@devflow/db'
import { around, instanceId, LEVEL, type PhaseNode, type Position, treeOf } from '@devflow/definition'
import type pg from 'pg'

/** From where in a run an expression looks: what is around it, and which item or iteration of that it is in. */
export interface View {
  pool: pg.Pool
  progress: Progress
  definition: Definition
  around: readonly PhaseNode[]
  /** For each phase around it three numbers: its place, its generation, the group. */
  prefix: readonly number[]
}

type Source = Pick<View, 'pool' | 'progress' | 'definition'>

/** What a phase sees. */
export function viewOf(source: Source, node: PhaseNode, position: Position): View {
  return { ...source, around: around(node), prefix: position.slice(0, -1) }
}

/** What is seen from the end of one round of what is inside a phase: by the `until` of a cycle. */
export function viewInside(source: Source, node: PhaseNode, at: PhaseProgress, group: number): View {
  return {
    ...source,
    around: [...around(node), node],
    prefix: [...at.position, at.generation, group],
  }
}

/** What is seen from the end of the run. */
export function viewAtEnd(source: Source): View {
  return { ...source, around: [], prefix: [] }
}

/** The running of the phase around a view, by how many others are around it. */
export function outerId({ around: outer, prefix }: View, level: number): string {
  const node = outer[level]
  if (!node) throw new Error(`nothing stands ${level} levels around`)
  return instanceId(node, prefix.slice(0, level * LEVEL + 1))
}

/**
 * Where the one running of a phase stands that this view can mean; undefined when there are many. Where a branch was run
 * again, the latest counts.
 */
export async function positionSeen(view: View, node: PhaseNode): Promise<Position | undefined> {
  const way = [...around(node), node]
  const position: number[] = [way[0]?.index ?? node.index]
  let isShared = true
  for (const [level, composite] of way.slice(0, -1).entries()) {
    isShared &&= view.around[level] === composite
    const next = way[level + 1]
    if (!next) return undefined
    if (composite.kind !== 'parallel' && !isShared) return undefined
    const generation = isShared
      ? view.prefix[level * LEVEL + 1]
      : await generationOf(view, composite, position)
    const group = composite.kind === 'parallel' ? next.branch : view.prefix[level * LEVEL + 2]
    if (generation === undefined || group === undefined) return undefined
    // In another branch of the same parallel phase nothing further is shared.
    isShared &&= group === view.prefix[level * LEVEL + 2]
    position.push(generation, group, next.index)
  }
  return position
}

async function generationOf(
  { pool, progress }: View,
  composite: PhaseNode,
  position: Position,
): Promise<number> {
  const id = instanceId(composite, position)
  const known = progress.phases.find((phase) => phase.id === id)
  // Skipped with what is around it, it is not on record: it would have been the first.
  return (known ?? (await phasesById(pool, progress.runId, [id]))[0])?.generation ?? 1
}

/** The phase of a definition that an id is a running of. */
export function nodeNamed(definition: Definition, name: string): PhaseNode | undefined {
  return treeOf(definition.phases).nodes.get(name)
}
