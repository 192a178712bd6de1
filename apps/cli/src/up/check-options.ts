import { statSync } from 'node:fs'
import { badUsage } from '../refuse.ts'
import type { UpOptions } from './up-options.ts'

/** Refuses, before anything is started or made, what would come to nothing later. Throws INVALID `bad_usage`. */
export function checkOptions({ entries, workspaceRoots, words: { failures } }: UpOptions): void {
  for (const folder of entries) if (!isFolder(folder)) throw badUsage(failures.noFolder('--entries', folder))
  for (const folder of workspaceRoots)
    if (!isFolder(folder)) throw badUsage(failures.noFolder('--workspace-root', folder))
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
