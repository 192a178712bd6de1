import { DevflowError } from '@devflow/contracts'
import type { ObjectStore } from './object-store.ts'

/** What one of several branches of work made of the files. */
export interface Branch {
  name: string
  /** The commit it ended at; the commit they forked from when it changed nothing. */
  commit: string
}

/**
 * Merges branches into `fork`, the commit they began at, in their order, and answers the commit that holds all: `fork`
 * itself when none changed anything. All commits are in the store. Throws CONFLICT `workspace_conflict`, whose `errors`
 * name each file that two of them changed in ways that do not go together, and the branch that came second.
 */
export async function mergeBranches(
  store: ObjectStore,
  fork: string,
  branches: readonly Branch[],
): Promise<string> {
  let merged = fork
  for (const { name, commit } of branches) {
    if (commit === fork) continue
    // What came first is a step from the fork as it stands: no merge is needed, and none is shown.
    if (merged === fork) {
      merged = commit
      continue
    }
    const { code, stdout, stderr } = await store.try([
      'merge-tree',
      '--write-tree',
      '-z',
      '--name-only',
      '--no-messages',
      merged,
      commit,
    ])
    const [tree = '', ...files] = stdout.split('\0').filter(Boolean)
    if (code === 1) throw conflict(name, files)
    if (code !== 0)
      throw new DevflowError(
        'INTERNAL',
        'git_failed',
        `git merge-tree failed with ${code}: ${stderr.slice(-1000)}`,
      )
    merged = await store.commitTree(tree, [merged, commit], `Join ${name}`)
  }
  return merged
}

function conflict(branch: string, files: readonly string[]): DevflowError {
  const names = [...new Set(files)].sort()
  const shown = names.slice(0, 10).join(', ')
  const more = names.length > 10 ? ` and ${names.length - 10} more` : ''
  return new DevflowError(
    'CONFLICT',
    'workspace_conflict',
    `Branches changed the same files in ways that do not go together: ${shown}${more} (seen when joining ${branch}).`,
    {
      errors: names
        .slice(0, 100)
        .map((path) => ({ path, message: `changed by ${branch} and by a branch before it` })),
    },
  )
}
