import type { ErrorRecord } from '@devflow/contracts'
import type pg from 'pg'

/** The last attempt of a phase that completed; 0 where none did. */
export async function lastCompleted(pool: pg.Pool, run: string, phase: string): Promise<number> {
  const { rows } = await pool.query<{ attempt: number }>({
    name: 'last-completed',
    text: `select coalesce(max(attempt), 0) as attempt from devflow.run_events where run_id = $1 and phase = $2 and turn is null and type = 'phase.completed'`,
    values: [run, phase],
  })
  return rows[0]?.attempt ?? 0
}

/** How a phase is being undone. */
export interface Compensation {
  phase: string
  attempt: number
  function: string
  status: 'started' | 'completed' | 'failed'
  /** The end that the run came to when its first compensation began, and the phase that failed it. */
  outcome: 'failed' | 'canceled'
  failedPhase?: string
  /** Calls that were begun, and that are over. */
  tries: number
  ended: number
  error?: ErrorRecord
  startedAt: string
  endedAt?: string
}

/** What has been done so far to undo a run, in the order it began. */
export async function readCompensations(pool: pg.Pool, run: string): Promise<Compensation[]> {
  const { rows } = await pool.query<{ one: Compensation }>({
    name: 'read-compensations',
    text: `select jsonb_strip_nulls(jsonb_build_object('phase', s.phase, 'attempt', s.attempt, 'function', s.data->>'function',
        'status', coalesce(substr(e.type, 14), 'started'), 'outcome', s.data->>'outcome', 'failedPhase', s.data->>'failedPhase',
        'tries', (select count(*) from devflow.run_events t where t.run_id = s.run_id and t.key like 'compensation/' || s.phase || '/' || s.attempt || '/%/start'),
        'ended', (select count(*) from devflow.run_events t where t.run_id = s.run_id and t.key like 'compensation/' || s.phase || '/' || s.attempt || '/%/end'),
        'error', e.data->'error', 'startedAt', to_char(s.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'endedAt', to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))) as one
      from devflow.run_events s
      left join devflow.run_events e on e.run_id = s.run_id and e.phase = s.phase and e.attempt = s.attempt and e.type in ('compensation.completed', 'compensation.failed')
      where s.run_id = $1 and s.type = 'compensation.started' order by s.seq`,
    values: [run],
  })
  return rows.map(({ one }) => one)
}

/**
 * Phases that are done and not undone, by these names, the last that was done first: what is left to compensate. What a fork
 * took over is not its own to undo.
 */
export async function toCompensate(
  pool: pg.Pool,
  run: string,
  names: readonly string[],
  most: number,
): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>({
    name: 'to-compensate',
    text: `select p.id from devflow.phases p
      join devflow.run_events c on c.run_id = p.run_id and c.key = p.id || '/' || p.attempt || '/end'
      where p.run_id = $1 and p.status = 'completed' and not c.data ? 'reused' and regexp_replace(p.id, '[[#].*$', '') = any($2)
        and not exists (select 1 from devflow.run_events f where f.run_id = p.run_id and f.key = 'compensation/' || p.id || '/' || p.attempt || '/failed')
      order by c.seq desc, p.position desc limit $3`,
    values: [run, names, most],
  })
  return rows.map(({ id }) => id)
}
