import {
  type EventLine,
  firstWorkspaceCommit,
  linesChanged,
  type PhaseProgress,
  type Progress,
  readSnapshotChain,
} from '@devflow/db'
import type { PhaseNode } from '@devflow/definition'
import type { Deps } from '../deps.ts'
import { type Branch, mergeBranches, openStore } from '../workspace/index.ts'
import { lineOfGroup, linesOf } from './lines.ts'
import { eventAt } from './place.ts'
import { snapshotsFor, storeCommit } from './snapshots.ts'

/** A phase whose branches, or items, are all done. */
interface Forked {
  deps: Pick<Deps, 'pool' | 'dataDir' | 'workspaceRoots'>
  progress: Pick<Progress, 'runId' | 'workspace'>
  node: PhaseNode
  at: Pick<PhaseProgress, 'id' | 'attempt' | 'position' | 'generation' | 'opened'>
}

/**
 * Joins what the branches of a phase have made of the files, in their order, into the line they forked from: the line to
 * write together with the end of the phase, or none where nothing changed. Made again after a crash it holds the same
 * files. Throws CONFLICT `workspace_conflict` naming the files, and what `openWorkspace` throws.
 */
export async function joinLines({ deps, progress, node, at }: Forked): Promise<EventLine[]> {
  const { runId, workspace } = progress
  if (!workspace || (node.kind !== 'parallel' && node.kind !== 'map')) return []
  const place = { runId, phase: at.id, attempt: at.attempt }
  const groups = Array.from({ length: at.opened }, (_, group) =>
    lineOfGroup(at.position, at.generation, group),
  )
  const changed = await linesChanged(deps.pool, runId, groups)
  if (changed.size === 0) return []

  const lines = linesOf(node, at.position)
  const base = (await firstWorkspaceCommit(deps.pool, runId)) ?? workspace.base
  const { dataDir, workspaceRoots: roots } = deps
  const { store, commit, close } = await openStore({ repo: workspace.repo, base, roots, dataDir, runId })
  try {
    const fork = await snapshotsFor(deps, place, lines)
    const held = new Set<string>()
    const hold = async (chain: typeof fork.chain) => {
      await store.restore(
        chain.filter(({ sha256 }) => !held.has(sha256)),
        fork.load,
      )
      for (const { sha256 } of chain) held.add(sha256)
    }
    await hold(fork.chain)
    const head = fork.chain.at(-1)?.commit ?? commit
    const branches: Branch[] = []
    for (const [group, line] of groups.entries()) {
      if (!changed.has(line)) continue
      const chain = await readSnapshotChain(deps.pool, runId, { ...place, lines: [line] })
      await hold(chain)
      const name = node.kind === 'map' ? `${at.id}[${group}]` : `branch ${group + 1} of ${at.id}`
      branches.push({ name, commit: chain.at(-1)?.commit ?? head })
    }
    const merged = await mergeBranches(store, head, branches)
    if (merged === head) return []
    const stored = await storeCommit(
      deps,
      runId,
      store,
      { base: commit, links: fork.links, tree: { head } },
      merged,
    )
    return [eventAt(place, 'workspace.snapshot', 'joined', { line: lines[0], ...stored })]
  } finally {
    await close()
  }
}
