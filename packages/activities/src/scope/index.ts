// Law: what expressions of a run see from where they stand, read from the log and no more of it than they speak of.
import { phasesById } from '@devflow/db'
import { instanceId, LEVEL, type PhaseNode, type Scope, treeOf } from '@devflow/definition'
import { artifactsSeen, contentsOf } from './artifacts.ts'
import { itemsOf } from './items.ts'
import { groupOutputs, isDone, outputOf } from './outputs.ts'
import { outerId, positionSeen, type View } from './view.ts'

export { artifactsSeen, contentsOf } from './artifacts.ts'
export { loadedOutput, storedOutput } from './stored-output.ts'
export { nodeNamed, outerId, type View, viewAtEnd, viewInside, viewOf } from './view.ts'

/** What `texts` see. `roundIsOver`: the innermost cycle's iteration has just ended, and is the last one. */
export async function scopeOf(
  view: View,
  texts: readonly unknown[],
  { roundIsOver = false }: { roundIsOver?: boolean } = {},
): Promise<Scope> {
  const { progress, definition } = view
  const text = JSON.stringify(texts)
  const speaksOf = (name: string) => text.includes(name)
  const names = speaksOf('artifacts') ? Object.keys(definition.artifacts) : []
  const locals = await localsOf(view, speaksOf, roundIsOver)
  return {
    input: progress.input,
    artifacts: names.length > 0 ? await contentsOf(view, await artifactsSeen(view, names)) : {},
    phases: speaksOf('phases') ? await phasesOf(view, speaksOf) : {},
    run: {
      id: progress.runId,
      attempt: progress.attempt,
      template: progress.template,
      labels: progress.labels,
    },
    ...(locals ? { locals } : {}),
  }
}

/** All phases at the top, and of the others those that the texts name and that are one from here. */
async function phasesOf(view: View, speaksOf: (name: string) => boolean): Promise<Scope['phases']> {
  const { progress, pool } = view
  const { nodes } = treeOf(view.definition.phases)
  const seen: { node: PhaseNode; id: string }[] = []
  for (const node of nodes.values()) {
    const position =
      node.parent === undefined || speaksOf(node.name) ? await positionSeen(view, node) : undefined
    if (position) seen.push({ node, id: instanceId(node, position) })
  }
  const nested = seen.filter(({ node }) => node.parent !== undefined).map(({ id }) => id)
  const rows = new Map(
    [...progress.phases, ...(nested.length > 0 ? await phasesById(pool, progress.runId, nested) : [])].map(
      (row) => [row.id, row] as const,
    ),
  )
  const pairs = await Promise.all(
    seen.map(async ({ node, id }) => {
      const row = rows.get(id)
      const status = row?.status ?? 'pending'
      const output = row && isDone(row) && speaksOf(node.name) ? await outputOf(view, node, row) : null
      return [node.name, { output, status }] as const
    }),
  )
  return Object.fromEntries(pairs)
}

/** `item` and `index` of the maps around, `iteration` and `last` of the cycles; the innermost counts. */
async function localsOf(
  view: View,
  speaksOf: (name: string) => boolean,
  roundIsOver: boolean,
): Promise<Record<string, unknown> | undefined> {
  const { around, prefix, pool, progress } = view
  if (!around.some(({ kind }) => kind === 'map' || kind === 'cycle')) return undefined
  const locals: Record<string, unknown> = {}
  for (const [level, node] of around.entries()) {
    const group = prefix[level * LEVEL + 2] ?? 0
    const row = async () => (await phasesById(pool, progress.runId, [outerId(view, level)]))[0]
    if ('map' in node.phase) {
      const { as } = node.phase.map
      const at = speaksOf('item') || (as !== undefined && speaksOf(as)) ? await row() : undefined
      const items = at?.items === undefined ? [] : await itemsOf(pool, progress.runId, at.items)
      locals.item = items[group] ?? null
      locals.index = group
      if (as !== undefined) locals[as] = locals.item
    } else if ('cycle' in node.phase) {
      const isOver = roundIsOver && level === around.length - 1
      const before = isOver ? group : group - 1
      const at = before > 0 && speaksOf('last') ? await row() : undefined
      locals.iteration = group
      locals.last = at ? ((await groupOutputs(view, node, at, [before]))[0] ?? null) : null
    }
  }
  return locals
}
