import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { readLiveSessions } from '@devflow/db'
import type pg from 'pg'
import type { Log } from '../deps.ts'
import { removeWorkspaces, runWorkspaces } from './index.ts'
import { pruneSetups } from './setup.ts'

/** What a killed process was about to make. */
const OLDEST_DRAFT_MS = 3_600_000
const OLDEST_SETUP_MS = 14 * 86_400_000

const RUN = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const OWNED = /^(?<phase>.+)-(?<attempt>\d+)-(?<epoch>\d+)(?:\.git)?$/s

/**
 * Removes what sessions have left on this disk: clones of runs that are over, of epochs that another has taken over
 * (I13), drafts that nobody finishes, and setups nobody has used for two weeks. Answers how many clones went.
 */
export async function sweepWorkspaces({
  pool,
  dataDir,
  log,
}: {
  pool: pg.Pool
  dataDir: string
  log: Log
}): Promise<number> {
  const top = join(dataDir, 'workspaces')
  const found = new Map<string, string[]>()
  for (const runId of await readdir(top).catch(noneThere))
    if (RUN.test(runId)) found.set(runId, await runWorkspaces({ dataDir, runId }))
  // Asked when all is listed: what is opened from now on, by a run that was retried too, is not looked at.
  const live =
    found.size > 0
      ? await readLiveSessions(pool, [...found.keys()])
      : new Map<string, ReadonlyMap<string, number>>()
  let swept = 0
  for (const [runId, paths] of found) {
    const left: string[] = []
    for (const path of paths) if (await isLeft(path, live.get(runId))) left.push(path)
    await removeWorkspaces({ dataDir, runId }, left)
    swept += left.length
  }
  await pruneSetups(dataDir, new Date(Date.now() - OLDEST_SETUP_MS))
  if (swept > 0) log.info({ count: swept }, 'clones that nobody works in any more are removed')
  return swept
}

/** `sessions`: the epochs of the run's sessions by now; undefined when it is over. */
async function isLeft(path: string, sessions: ReadonlyMap<string, number> | undefined): Promise<boolean> {
  if (!sessions) return true
  const name = basename(path)
  if (name.startsWith('.')) return await isOlder(path, OLDEST_DRAFT_MS)
  const { phase, attempt, epoch } = OWNED.exec(name)?.groups ?? {}
  if (phase === undefined) return false
  const now = sessions.get(`${decodeURIComponent(phase)}/${attempt}`)
  return now !== undefined && now > Number(epoch)
}

async function isOlder(path: string, ms: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs > ms
}

function noneThere(error: NodeJS.ErrnoException): string[] {
  if (error.code !== 'ENOENT') throw error
  return []
}
