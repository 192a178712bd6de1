import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './sources.ts'

/** One line for each release, the oldest first: the migrations that came with it, each with the SHA-256 of its file. */
export interface Release {
  version: string
  migrations: Record<string, string>
}

export const RELEASES_FILE = join(ROOT, 'migrations', 'releases.json')

/** What is released so far; there is no file before the first release. */
export function readReleases(): Release[] {
  return existsSync(RELEASES_FILE) ? (JSON.parse(readFileSync(RELEASES_FILE, 'utf8')) as Release[]) : []
}
