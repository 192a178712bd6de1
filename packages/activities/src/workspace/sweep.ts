import { basename, join } from 'node:path'
import { readLiveSessions } from '@devflow/db'
import type pg from 'pg'
import type { Log } from '../deps.ts'
import { namesIn, removeWorkspaces, runWorkspaces } from './index.ts'
import { pruneSetups } from './setup.ts'

const OLDEST_SETUP_MS = 14 * 86_400_000

const RUN = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** A clone, its store, or what was to become one of them. */
const OWNED =
  /^(?:\.(?:draft|setup)-[0-9a-f-]{36}-)*(?<phase>[^.].*)-(?<attempt>\d+)-(?<epoch>\d+)(?:\.git)?$/s

/**
 * Removes what sessions have left on this disk: all of runs that are over, clones and drafts of epochs that another has
 * taken over (I13), and setups nobody has used for two weeks. Answers how many clones went.
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
  const found = new Map<string, string[]>()
  for (const runId of await namesIn(join(dataDir, 'workspaces')))
    if (RUN.test(runId)) found.set(runId, await runWorkspaces({ dataDir, runId }))
  // Asked when all is listed: what is opened from now on, by a run that was retried too, is not looked at.
  const live =
    found.size > 0
      ? await readLiveSessions(pool, [...found.keys()])
      : new Map<string, ReadonlyMap<string, number>>()
  let swept = 0
  for (const [runId, paths] of found) {
    const left = paths.filter((path) => isLeft(basename(path), live.get(runId)))
    await removeWorkspaces({ dataDir, runId }, left)
    swept += left.length
  }
  await pruneSetups(dataDir, new Date(Date.now() - OLDEST_SETUP_MS))
  if (swept > 0) log.info({ count: swept }, 'clones that nobody works in any more are removed')
  return swept
}

/**
 * `sessions`: the epochs of the run's sessions by now; undefined when it is over. No clock is asked: one that jumps, as on waking
 * from sleep, would make old what is being made.
 */
function isLeft(name: string, sessions: ReadonlyMap<string, number> | undefined): boolean {
  if (!sessions) return true
  const { phase, attempt, epoch } = OWNED.exec(name)?.groups ?? {}
  if (phase === undefined) return false
  const now = sessions.get(`${decodeURIComponent(phase)}/${attempt}`)
  return now !== undefined && now > Number(epoch)
}
