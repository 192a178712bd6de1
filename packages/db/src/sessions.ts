import { type RunEvent, type SessionRef, sessionKey } from '@devflow/contracts'
import type pg from 'pg'
import { together } from './open-pool.ts'
import { type PhaseProgress, type Progress, phasesById, readProgress } from './progress.ts'
import type { Queryable } from './read/queryable.ts'

/**
 * Takes over a session: its new epoch, under which alone it may be written from now on (I13). `onlyNew`: undefined where
 * anybody has had it before.
 */
export async function takeSession(
  db: Queryable,
  run: string,
  session: string,
  { onlyNew = false } = {},
): Promise<number | undefined> {
  const { rows } = await db.query<{ epoch: number | null }>({
    name: 'take-session',
    text: 'select devflow.take_session($1, $2, $3) as epoch',
    values: [run, session, onlyNew],
  })
  return rows[0]?.epoch ?? undefined
}

/** Fences whoever has one of these sessions, in one step: what they write from now on is refused (I13). */
export async function fenceSessions(db: Queryable, run: string, sessions: readonly string[]): Promise<void> {
  await db.query({
    name: 'fence-sessions',
    // The head is locked first, as everywhere: what an owner is writing now is written before, or refused.
    text: `update devflow.sessions s set epoch = s.epoch + 1, taken_at = clock_timestamp()
           from (select run_id from devflow.run_heads where run_id = $1 for no key update) h
           where s.run_id = h.run_id and s.session = any($2)`,
    values: [run, sessions],
  })
}

export interface OpenedAttempt {
  epoch: number
  progress: Progress
  /** The phase, also one inside another. */
  at: PhaseProgress
  events: RunEvent[]
}

/**
 * Takes over an attempt's session and reads what it goes on from. It is taken, and that is committed, before anything is read:
 * what is read includes all that the old owner could write (I13). Undefined when nothing may come of it any more: the run is
 * over or gone, its phase is at another attempt, or was closed by a phase around it; with `onlyNew` also when
 * anybody has begun it before.
 */
export async function openAttempt(
  pool: pg.Pool,
  run: string,
  { phase, attempt }: SessionRef,
  options: { onlyNew?: boolean } = {},
): Promise<OpenedAttempt | undefined> {
  const session = sessionKey({ phase, attempt })
  const [epoch, progress, events] = await together(pool, (db) =>
    Promise.all([
      takeSession(db, run, session, options),
      readProgress(db, run),
      readAttempt(db, run, phase, attempt),
    ]),
  )
  if (epoch === undefined || !progress || progress.control === 'over') return undefined
  const at = progress.phases.find(({ id }) => id === phase) ?? (await phasesById(pool, run, [phase]))[0]
  return at?.attempt === attempt && at.status !== 'canceled' ? { epoch, progress, at, events } : undefined
}

/** Whether the session still has this epoch, read afresh: to be asked before money is spent after a silence (I13). */
export async function sessionHasEpoch(
  pool: pg.Pool,
  run: string,
  session: string,
  epoch: number,
): Promise<boolean> {
  const { rows } = await pool.query({
    name: 'session-has-epoch',
    text: 'select 1 from devflow.sessions where run_id = $1 and session = $2 and epoch = $3',
    values: [run, session, epoch],
  })
  return rows.length > 0
}

/**
 * What an attempt of a phase has on record, in order: all of it, or what opened it and what follows the turns that were
 * summarised last, so that it takes no longer to read than a context is long (I12). Bodies stored apart are read in.
 */
export async function readAttempt(
  db: Queryable,
  run: string,
  phase: string,
  attempt: number,
): Promise<RunEvent[]> {
  const { rows } = await db.query<{
    seq: string
    type: string
    turn: number | null
    key: string
    data: RunEvent['data']
    at: Date
  }>({
    name: 'read-attempt',
    // Turns are looked for from where the first one began, and only up to the log's end: of the log's other thousands of lines none
    // is read. What has no turn has an index of its own.
    text: `with first as materialized (
             select seq from devflow.run_events where run_id = $1 and key = $2::text || '/' || $3::int || '/1/started'
           ), turns as materialized (
             select e.* from devflow.run_events e where e.run_id = $1 and e.phase = $2 and e.attempt = $3 and e.turn is not null
               and e.seq >= (select seq from first) and e.seq <= (select seq from devflow.run_heads where run_id = $1)
           ), summarised as (
             select (coalesce(convert_from(b.content, 'UTF8')::jsonb, e.data)->>'upToTurn')::int as turn from turns e
             left join devflow.blobs b on b.run_id = e.run_id and b.sha256 = e.data->>'$blob'
             where e.type = 'context.compacted' order by e.seq desc limit 1
           ), attempt as (
             select * from devflow.run_events where run_id = $1 and phase = $2 and attempt = $3 and turn is null
             union all
             select * from turns where turn > coalesce((select turn from summarised), 0) or turn = 1 and type = 'turn.started'
           )
           select e.seq, e.type, e.turn, e.key, e.at,
             case when b.content is null then e.data else convert_from(b.content, 'UTF8')::jsonb end as data
           from attempt e left join devflow.blobs b on b.run_id = e.run_id and b.sha256 = e.data->>'$blob'
           order by e.seq`,
    values: [run, phase, attempt],
  })
  return rows.map(({ seq, type, turn, key, data, at }) => ({
    runId: run,
    seq: Number(seq),
    type,
    at: at.toISOString(),
    phase,
    attempt,
    ...(turn === null ? {} : { turn }),
    key,
    data,
  }))
}

/** Whether a turn has streamed anything since its last reset. */
export async function hasOpenChunks(
  pool: pg.Pool,
  run: string,
  phase: string,
  attempt: number,
  turn: number,
): Promise<boolean> {
  const { rows } = await pool.query<{ kind: string }>({
    name: 'has-open-chunks',
    text: `select kind from devflow.run_chunks where run_id = $1 and phase = $2 and attempt = $3 and turn = $4
           order by seq desc limit 1`,
    values: [run, phase, attempt, turn],
  })
  return rows[0] !== undefined && rows[0].kind !== 'reset'
}

/** The commit that the run works on, as its first phase found it; undefined before there was one. */
export async function firstWorkspaceCommit(pool: pg.Pool, run: string): Promise<string | undefined> {
  const { rows } = await pool.query<{ commit: string }>({
    name: 'first-workspace-commit',
    text: `select data->'workspace'->>'commit' as commit from devflow.run_events
           where run_id = $1 and type in ('phase.started', 'workspace.pinned') and data->'workspace' ? 'commit' order by seq limit 1`,
    values: [run],
  })
  return rows[0]?.commit
}
