import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readLiveSessions } from '@devflow/db'
import type pg from 'pg'
import type { Log } from '../deps.ts'
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
  const runs = (await readdir(top).catch(noneThere)).filter((name) => RUN.test(name))
  const live = runs.length > 0 ? await readLiveSessions(pool, runs) : new Map<string, Map<string, number>>()
  let swept = 0
  const remove = async (path: string) => {
    await rm(path, { recursive: true, force: true })
    swept += 1
  }
  for (const run of runs) {
    const sessions = live.get(run)
    if (!sessions) {
      await remove(join(top, run))
      continue
    }
    for (const name of await readdir(join(top, run)).catch(noneThere)) {
      const path = join(top, run, name)
      if (isDead(name, sessions) || (name.startsWith('.') && (await isOlder(path, OLDEST_DRAFT_MS))))
        await remove(path)
    }
  }
  await pruneSetups(dataDir, new Date(Date.now() - OLDEST_SETUP_MS))
  if (swept > 0) log.info({ count: swept }, 'clones that nobody works in any more are removed')
  return swept
}

function isDead(name: string, sessions: ReadonlyMap<string, number>): boolean {
  const { phase, attempt, epoch } = OWNED.exec(name)?.groups ?? {}
  if (phase === undefined || name.startsWith('.')) return false
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
