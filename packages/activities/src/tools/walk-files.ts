import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isGitName } from './git-name.ts'

/** The regular files below a directory, sorted, depth first, as paths from it. Links are not followed. */
export async function* walkFiles(top: string, below = ''): AsyncGenerator<string> {
  const entries = await readdir(join(top, below), { withFileTypes: true })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    if (isGitName(entry.name)) continue
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) yield* walkFiles(top, path)
    else if (entry.isFile()) yield path
  }
}
