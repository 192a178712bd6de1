import type { ArtifactDiff } from '@devflow/contracts'
import { type ArtifactView, listArtifacts, type Queryable, readArtifact } from '@devflow/db'
import { createTwoFilesPatch } from 'diff'
import { valueDiff } from './value-diff.ts'

/** Larger ones are only said to differ. */
const LARGEST_COMPARED = 512 * 1024
const MOST_CHARACTERS = 100_000
/** What takes longer to compare is told as a whole. */
const LONGEST_COMPARISON_MS = 500

/** How the artifacts that phases of two runs have made differ, each in its latest version; reports always do, and are left out. */
export async function artifactDiffs(db: Queryable, a: string, b: string): Promise<ArtifactDiff[]> {
  const [ours, theirs] = [await latest(db, a), await latest(db, b)]
  const names = [...new Set([...ours.keys(), ...theirs.keys()])].sort()
  const diffs: ArtifactDiff[] = []
  for (const name of names) {
    const [one, other] = [ours.get(name), theirs.get(name)]
    const sides = { ...(one ? { a: factsOf(one) } : {}), ...(other ? { b: factsOf(other) } : {}) }
    if (!one || !other) diffs.push({ name, change: one ? 'removed' : 'added', ...sides })
    else if (one.sha256 === other.sha256) diffs.push({ name, change: 'same', ...sides })
    else diffs.push({ name, change: 'changed', ...sides, ...(await changesOf(db, [a, one], [b, other])) })
  }
  return diffs
}

async function latest(db: Queryable, run: string): Promise<Map<string, ArtifactView>> {
  const all = await listArtifacts(db, run)
  // By name and version: the last of a name counts.
  return new Map(all.filter(({ phase }) => phase !== undefined).map((each) => [each.name, each]))
}

const factsOf = ({ version, sha256, mediaType, bytes }: ArtifactView) => ({
  version,
  sha256,
  mediaType,
  bytes,
})

type Side = [run: string, artifact: ArtifactView]

async function changesOf(
  db: Queryable,
  one: Side,
  other: Side,
): Promise<Pick<ArtifactDiff, 'changes' | 'more' | 'text' | 'omitted'>> {
  if (Math.max(one[1].bytes, other[1].bytes) > LARGEST_COMPARED) return { omitted: 'too_large' }
  const [a, b] = [await textOf(db, one), await textOf(db, other)]
  if (a === undefined || b === undefined) return { omitted: 'binary' }
  if ([one, other].every(([, { mediaType }]) => mediaType === 'application/json'))
    return valueDiff(JSON.parse(a), JSON.parse(b))
  const { name } = one[1]
  const patch =
    createTwoFilesPatch(`a/${name}`, `b/${name}`, a, b, undefined, undefined, {
      context: 3,
      timeout: LONGEST_COMPARISON_MS,
    }) ?? ''
  if (patch === '' || patch.length > MOST_CHARACTERS) return { omitted: 'too_large' }
  // Its first line is a rule for files of many diffs.
  return { text: patch.replace(/^=+\n/, '') }
}

/** Undefined: no text. */
async function textOf(db: Queryable, [run, { name, version }]: Side): Promise<string | undefined> {
  const found = await readArtifact(db, run, name, version)
  if (!found) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(found.content)
  } catch {
    return undefined
  }
}
