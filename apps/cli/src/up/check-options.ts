import { statSync } from 'node:fs'
import { isLoopback, SHORTEST_TOKEN } from '@devflow/process'
import { badUsage } from '../refuse.ts'
import { nearest } from './nearest.ts'
import type { UpOptions } from './up-options.ts'

/** Refuses, before anything is started or made, what would come to nothing later. Throws INVALID `bad_usage`. */
export function checkOptions(options: UpOptions): void {
  const { host, token, dataDir, entries, workspaceRoots, words } = options
  const { failures } = words
  if (!isLoopback(host) && !token) throw badUsage(failures.hostNeedsToken(host, SHORTEST_TOKEN))
  if (token && token.length < SHORTEST_TOKEN) throw badUsage(failures.shortToken(SHORTEST_TOKEN))
  const ground = nearest(dataDir)
  if (!isFolder(ground)) throw badUsage(failures.notFolder('--data', ground))
  for (const folder of entries) if (!isFolder(folder)) throw badUsage(failures.noFolder('--entries', folder))
  for (const folder of workspaceRoots)
    if (!isFolder(folder)) throw badUsage(failures.noFolder('--workspace-root', folder))
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
