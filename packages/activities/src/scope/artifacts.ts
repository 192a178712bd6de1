import { getBlob, latestArtifacts } from '@devflow/db'
import { around, itemMarks, type PhaseNode, treeOf } from '@devflow/definition'
import type { View } from './view.ts'

export interface SeenArtifact {
  /** The name the run keeps it by: `note[3]` of the fourth item. */
  name: string
  version: number
  sha256: string
}

/**
 * Artifacts that a view means by these names, in their latest versions, those that there are. Inside a map each item
 * has its own.
 */
export async function artifactsSeen(
  view: View,
  names: readonly string[],
): Promise<Map<string, SeenArtifact>> {
  const { nodes } = treeOf(view.definition.phases)
  const producers = new Map<string, PhaseNode>()
  for (const node of nodes.values())
    if ('agent' in node.phase && node.phase.agent.produces !== undefined)
      producers.set(node.phase.agent.produces, node)
  const wanted = names.flatMap((name) => {
    const producer = producers.get(name)
    const kept = producer && keptName(view, name, producer)
    return kept === undefined ? [] : [{ name, kept }]
  })
  if (wanted.length === 0) return new Map()
  const kept = wanted.map((artifact) => artifact.kept)
  const latest = await latestArtifacts(view.pool, view.progress.runId, kept)
  const known = new Map(latest.map((found) => [found.name, found]))
  return new Map(
    wanted.flatMap(({ name, kept }) => {
      const found = known.get(kept)
      return found ? [[name, found] as const] : []
    }),
  )
}

/** The name of an artifact as the run keeps it; undefined where it is one of many from here. */
function keptName({ around: outer, prefix }: View, name: string, producer: PhaseNode): string | undefined {
  const maps = around(producer).filter(({ kind }) => kind === 'map')
  return maps.every((map) => outer.includes(map)) ? name + itemMarks(producer, prefix) : undefined
}

/** Their content: JSON parsed, of text kinds the text. */
export async function contentsOf(
  { pool, progress, definition }: View,
  artifacts: ReadonlyMap<string, { sha256: string }>,
): Promise<Record<string, unknown>> {
  const pairs = await Promise.all(
    [...artifacts].map(async ([name, { sha256 }]) => {
      const content = await getBlob(pool, progress.runId, sha256)
      const text = content?.toString('utf8') ?? 'null'
      const isText = definition.artifacts[name]?.kind !== undefined
      return [name, isText ? text : (JSON.parse(text) as unknown)] as const
    }),
  )
  return Object.fromEntries(pairs)
}
