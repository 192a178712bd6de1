import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DevflowError, type Report } from '@devflow/contracts'
import { firstWorkspaceCommit, type Progress, putBlobFile } from '@devflow/db'
import type { Deps } from '../deps.ts'
import { MAIN_LINE } from '../session/lines.ts'
import { snapshotsFor } from '../session/snapshots.ts'
import { type ObjectStore, openStore } from '../workspace/index.ts'

/** What a run offers of its changes, to be written with its report. */
export interface Changes {
  changes: NonNullable<Report['changes']>
  artifacts: { name: string; version: number; mediaType: string; sha256: string; bytes: number }[]
}

/**
 * What the run has changed in the files of its repository: a branch as a bundle, and a diff; undefined where it changed
 * nothing. Counted is what phases that were completed have made, and `phase`, the one that failed. Where it cannot be
 * made here, as when the repository is out of reach, the report says so.
 */
export async function changesOf(
  deps: Deps,
  { runId, attempt: version, workspace, phases }: Progress,
  phase?: string,
): Promise<Changes | undefined> {
  if (!workspace) return undefined
  const attempt = phases.find(({ id }) => id === phase)?.attempt ?? 0
  const { chain, load } = await snapshotsFor(deps, { runId, phase: phase ?? '', attempt }, [MAIN_LINE])
  const head = chain.at(-1)?.commit
  if (head === undefined) return undefined
  const branch = `devflow/${runId}`
  try {
    const pinned = (await firstWorkspaceCommit(deps.pool, runId)) ?? workspace.base
    const { dataDir, workspaceRoots: roots } = deps
    const opened = await openStore({ repo: workspace.repo, base: pinned, roots, dataDir, runId })
    try {
      const { store, commit: base } = opened
      await store.restore(chain, load)
      const counts = await countsOf(store, base, head)
      if (counts.files === 0) return undefined
      const keep = async (name: string, mediaType: string, make: (file: string) => Promise<unknown>) => {
        const file = join(store.path, name)
        await make(file)
        const stored = await putBlobFile(deps.pool, runId, file)
        await rm(file)
        return { name, version, mediaType, ...stored }
      }
      const artifacts = [
        await keep('changes.bundle', 'application/x-git-bundle', (file) =>
          store.bundle(file, base, head, `refs/heads/${branch}`),
        ),
        await keep('changes.diff', 'text/x-diff', (file) =>
          store.run(['diff', '--binary', '--no-color', '--no-ext-diff', `--output=${file}`, base, head]),
        ),
      ]
      const named = artifacts.map(({ name, sha256, bytes }) => ({ name, version, sha256, bytes }))
      return { changes: { branch, commit: head, base, ...counts, artifacts: named }, artifacts }
    } finally {
      await opened.close()
    }
  } catch (error) {
    if (!(error instanceof DevflowError) || error.kind === 'UNAVAILABLE') throw error
    deps.log.warn({ err: error, runId }, 'the changes of a run could not be put together')
    const problem = deps.scrub(error.message)
    return {
      changes: { branch, commit: head, files: 0, insertions: 0, deletions: 0, artifacts: [], problem },
      artifacts: [],
    }
  }
}

async function countsOf(
  store: ObjectStore,
  base: string,
  head: string,
): Promise<{ files: number; insertions: number; deletions: number }> {
  const said = await store.run(['diff', '--shortstat', base, head])
  const count = (what: RegExp) => Number(what.exec(said)?.[1] ?? 0)
  return {
    files: count(/(\d+) files?/),
    insertions: count(/(\d+) insertion/),
    deletions: count(/(\d+) deletion/),
  }
}
