import type pg from 'pg'

/**
 * Of runs that are not over, the epoch of each session that was ever taken, by `phase/attempt`. Runs that are over, or
 * gone, are missing.
 */
export async function readLiveSessions(
  pool: pg.Pool,
  runs: readonly string[],
): Promise<Map<string, Map<string, number>>> {
  const { rows } = await pool.query<{ run: string; session: string | null; epoch: number }>({
    name: 'read-live-sessions',
    text: `select h.run_id as run, s.session, s.epoch from devflow.run_heads h left join devflow.sessions s on s.run_id = h.run_id
           where h.run_id = any($1::uuid[]) and h.control <> 'over'`,
    values: [runs],
  })
  const live = new Map<string, Map<string, number>>()
  for (const { run, session, epoch } of rows) {
    const sessions = live.get(run) ?? new Map<string, number>()
    if (session !== null) sessions.set(session, epoch)
    live.set(run, sessions)
  }
  return live
}
