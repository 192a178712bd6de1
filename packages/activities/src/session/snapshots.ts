import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type EventLine, getBlobFile, patiently, putBlobFile, readSnapshotChain } from '@devflow/db'
import type { Deps } from '../deps.ts'
import type { Link, ObjectStore, Restore } from '../workspace/index.ts'
import { eventAt, type Place, phaseOf } from './place.ts'
import type { Session } from './session.ts'

/** After so many bundles one holds all since the base: to restore it takes no more, however long a run is (I12). */
const LONGEST_CHAIN = 32

/** The snapshots a session begins with, to be put on top of the base. */
export async function snapshotsFor(
  { pool }: Pick<Deps, 'pool'>,
  { runId, phase, attempt }: Place,
  lines: readonly string[],
): Promise<Restore & { links: number }> {
  const chain = await patiently(() => readSnapshotChain(pool, runId, { phase, attempt, lines }))
  return {
    chain,
    links: chain.length,
    load: (sha256, file) => patiently(() => getBlobFile(pool, runId, sha256, file)),
  }
}

/**
 * What tools have changed since the last snapshot, stored: the bytes first, then, by the caller, the line that names them,
 * together with the results that tell of them. Nothing when nothing has changed. Until that line is on record the
 * changes are not: another delivery begins before them, and runs the calls again.
 */
export async function takeSnapshot(
  { deps, place, files }: Pick<Session, 'deps' | 'place' | 'files'>,
  turn: number,
  call: string,
  wrote: readonly string[],
): Promise<EventLine | undefined> {
  if (!files) return undefined
  const { tree } = files
  const { runId, phase, attempt } = place
  const made = await tree.commit(`${phase}, attempt ${attempt}, turn ${turn}\n\nRun ${runId}`, wrote)
  if (!made) return undefined
  const { left, ...link } = {
    ...(await storeCommit(deps, runId, tree.store, files, made.commit)),
    left: made.left,
  }
  tree.moveTo(made.commit)
  files.links = link.links
  deps.reach('after-blob')
  if (left.length > 0)
    deps.log.warn({ ...place, turn, count: left.length }, 'files of a workspace could not be kept')
  const data = { line: files.lines[0], ...link, ...(left.length > 0 ? { left: left.slice(0, 20) } : {}) }
  const line = eventAt(place, 'workspace.snapshot', `snapshot/${call}`, deps.scrub(data), turn)
  // Another delivery of the phase begins with it, whoever made it.
  return { ...line, phase: phaseOf(place) }
}

/** Stores what leads to a commit from the last snapshot, or from the base of all where the chain has grown long. */
export async function storeCommit(
  { pool }: Pick<Deps, 'pool'>,
  runId: string,
  store: ObjectStore,
  { base, links, tree }: { base: string; links: number; tree: { head: string } },
  commit: string,
): Promise<Link & { links: number; bytes: number }> {
  const isLong = links >= LONGEST_CHAIN
  const from = isLong ? base : tree.head
  const file = join(store.path, `outgoing-${randomUUID()}.bundle`)
  try {
    await store.bundle(file, from, commit)
    const stored = await patiently(() => putBlobFile(pool, runId, file))
    return { ...stored, commit, base: from, links: isLong ? 1 : links + 1 }
  } finally {
    await rm(file, { force: true })
  }
}
