import { getBlob, type PhaseProgress, phasesById } from '@devflow/db'
import { instanceId, type PhaseNode, positionIn } from '@devflow/definition'
import { loadedOutput } from './stored-output.ts'
import type { View } from './view.ts'

/** Rows asked for at once. */
const SLICE = 1_000

/** Only what is done has an output: not what was skipped, and not what of a failed map or cycle was done before. */
export const isDone = ({ status }: PhaseProgress): boolean =>
  status === 'completed' || status === 'compensated'

/** The output of a phase as expressions see it: an agent's artifact itself, of what holds others what came of those. */
export async function outputOf(view: View, node: PhaseNode, at: PhaseProgress): Promise<unknown> {
  switch (node.kind) {
    case 'agent':
      return await contentOf(view, at.output)
    case 'function':
      return await loadedOutput(view.pool, view.progress.runId, at.output)
    case 'parallel':
      return await groupOutputs(
        view,
        node,
        at,
        node.lists.map((_, branch) => branch),
      )
    case 'map':
      return await groupOutputs(
        view,
        node,
        at,
        Array.from({ length: at.opened }, (_, item) => item),
      )
    case 'cycle':
      return (await groupOutputs(view, node, at, [at.opened]))[0] ?? null
    default:
      return at.output ?? null
  }
}

/** What came of some groups of a phase: of each the output of its last phase that was not skipped. */
export async function groupOutputs(
  view: View,
  node: PhaseNode,
  at: PhaseProgress,
  groups: readonly number[],
): Promise<unknown[]> {
  const asked = groups.map((group) => {
    const list = node.lists[node.kind === 'parallel' ? group : 0] ?? []
    return list.map((inner) => ({
      inner,
      id: instanceId(inner, positionIn(at.position, at.generation, group, inner)),
    }))
  })
  const ids = asked.flat().map(({ id }) => id)
  const rows = new Map<string, PhaseProgress>()
  for (let from = 0; from < ids.length; from += SLICE) {
    for (const row of await phasesById(view.pool, view.progress.runId, ids.slice(from, from + SLICE)))
      rows.set(row.id, row)
  }
  const outputs: unknown[] = []
  for (const list of asked) {
    const last = list.findLast(
      ({ id }) => !['skipped', 'pending'].includes(rows.get(id)?.status ?? 'pending'),
    )
    const row = last && rows.get(last.id)
    outputs.push(last && row && isDone(row) ? await outputOf(view, last.inner, row) : null)
  }
  return outputs
}

async function contentOf({ pool, progress }: View, output: unknown): Promise<unknown> {
  if (output === null || typeof output !== 'object' || !('artifact' in output) || !('sha256' in output))
    return output ?? null
  const content = await getBlob(pool, progress.runId, String(output.sha256))
  return content === undefined ? null : (JSON.parse(content.toString('utf8')) as unknown)
}
