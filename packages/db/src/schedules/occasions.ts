import { durationMs, type Overlap, type SkipReason } from '@devflow/contracts'
import { commandRun } from '../command/command-run.ts'
import type { Numeric, Queryable } from '../read/queryable.ts'
import { settleSubmission } from '../submissions/settle-submission.ts'
import type { StoredSchedule } from './schedules.ts'

const OVER = `('completed', 'failed', 'canceled')`

/** The schedule whose clock tells of a time; undefined when it is not meant: it is deleted, paused, or counts from later on. */
export async function scheduleAt(
  db: Queryable,
  { tenant, id, at }: { tenant: string; id: string; at: Date },
): Promise<StoredSchedule | undefined> {
  const { rows } = await db.query<StoredSchedule>({
    name: 'schedule-at',
    text: `select * from devflow.schedules where tenant = $1 and id = $2 and deleted_at is null and not is_paused and active_since <= $3`,
    values: [tenant, id, at],
  })
  return rows[0]
}

/** Makes times of a schedule due, each once, whoever asks for it; answers how many were not on record. */
export async function addOccasions(
  db: Queryable,
  { tenant, id, submit, jitter }: StoredSchedule,
  times: readonly Date[],
  { overlap, isManual = false, key }: { overlap?: Overlap | undefined; isManual?: boolean; key?: string },
): Promise<number> {
  const { rowCount } = await db.query({
    name: 'add-occasions',
    text: `insert into devflow.submissions (tenant, source, key, submit, at, overlap, is_manual, status, attempts, due_at, created_at)
           select $1, 'schedule/' || $2, o.key, $3::jsonb, o.at, $6, $7, 'waiting', 0,
             clock_timestamp() + make_interval(secs => $8::double precision * random()), clock_timestamp()
           from unnest($4::text[], $5::timestamptz[]) as o(key, at)
           on conflict (tenant, source, key) do nothing`,
    values: [
      tenant,
      id,
      JSON.stringify(submit),
      times.map((at) => key ?? `time/${at.toISOString()}`),
      times,
      overlap ?? null,
      isManual,
      isManual || jitter === null ? 0 : durationMs(jitter) / 1000,
    ],
  })
  return rowCount ?? 0
}

/** An occasion to be judged. */
export interface DueOccasion {
  id: Numeric
  tenant: string
  source: string
  at: Date
  overlap: Overlap | null
  isManual: boolean
}

/** `go`: submit it in this transaction. Else it waits, or is settled; `canceled`: a run that it has canceled. */
export type Verdict = { go: true } | { go: false; canceled?: string }

/**
 * Says what becomes of an occasion: the one place where the policy of overlaps is kept. To be called in the transaction
 * that makes the run, since it locks the schedule: of two occasions one is judged first.
 */
export async function judgeOccasion(db: Queryable, due: DueOccasion): Promise<Verdict> {
  const { rows } = await db.query<{ overlap: Overlap; remaining: number | null; last_run: string | null }>({
    name: 'lock-schedule',
    text: `select overlap, remaining, last_run from devflow.schedules
           where tenant = $1 and 'schedule/' || id = $2 and deleted_at is null for update`,
    values: [due.tenant, due.source],
  })
  const [schedule] = rows
  const skip = async (reason: SkipReason): Promise<Verdict> => {
    await settleSubmission(db, due.id, { status: 'skipped', reason })
    return { go: false }
  }
  if (!schedule) return await skip('deleted')
  if (!due.isManual && schedule.remaining !== null && schedule.remaining <= 0) return await skip('remaining')
  const { last_run: lastRun } = schedule
  const { busy, earlier, held, later } = await standing(db, due, lastRun)
  switch (due.overlap ?? schedule.overlap) {
    case 'allow_all':
      return { go: true }
    case 'skip':
      return busy ? await skip('overlap') : { go: true }
    case 'buffer_one':
      if (held) return await skip('overlap')
      return busy || earlier ? await hold(db, due) : { go: true }
    case 'buffer_all':
      return busy || earlier ? await hold(db, due) : { go: true }
    case 'cancel_other': {
      // The latest counts: what waits before it must not cancel its run.
      if (later) return await skip('overlap')
      if (earlier) await skipEarlier(db, due)
      if (!busy || lastRun === null) return { go: true }
      const reason = `its schedule comes again at ${due.at.toISOString()}`
      await commandRun(db, { run: lastRun, verb: 'cancel', actor: due.source, reason, via: 'api' })
      // A run that was queued is over at once.
      if (!(await standing(db, due, lastRun)).busy) return { go: true }
      return { ...(await hold(db, due)), canceled: lastRun }
    }
  }
}

async function skipEarlier(db: Queryable, { tenant, source, id, at }: DueOccasion): Promise<void> {
  await db.query({
    name: 'skip-earlier-occasions',
    text: `update devflow.submissions set status = 'skipped', reason = 'overlap', settled_at = clock_timestamp()
           where tenant = $1 and source = $2 and status = 'waiting' and (at, id) < ($3, $4)`,
    values: [tenant, source, at, id],
  })
}

async function hold(db: Queryable, { id }: DueOccasion): Promise<{ go: false }> {
  await db.query({
    name: 'hold-submission',
    text: `update devflow.submissions set due_at = 'infinity', attempts = 0 where id = $1 and status = 'waiting'`,
    values: [id],
  })
  return { go: false }
}

/** What an occasion finds when it is due. */
interface Standing {
  /** The schedule's last run is unfinished. */
  busy: boolean
  /** Occasions before it wait too. */
  earlier: boolean
  /** Occasions before it wait for a run to end. */
  held: boolean
  /** Occasions after it wait. */
  later: boolean
}

async function standing(
  db: Queryable,
  { tenant, source, id, at }: DueOccasion,
  lastRun: string | null,
): Promise<Standing> {
  const { rows } = await db.query<Standing>({
    name: 'standing-of-schedule',
    text: `select exists (select 1 from devflow.runs where id = $1 and status not in ${OVER}) as busy,
             coalesce(bool_or((at, id) < ($4, $5)), false) as earlier,
             coalesce(bool_or((at, id) < ($4, $5) and due_at = 'infinity'), false) as held,
             coalesce(bool_or((at, id) > ($4, $5)), false) as later
           from devflow.submissions where tenant = $2 and source = $3 and status = 'waiting'`,
    values: [lastRun, tenant, source, at, id],
  })
  return rows[0] ?? { busy: false, earlier: false, held: false, later: false }
}

/** Notes the run that an occasion made; in the transaction that makes it. */
export async function noteRun(
  db: Queryable,
  { tenant, source, isManual }: DueOccasion,
  run: string,
): Promise<void> {
  await db.query({
    name: 'note-run-of-schedule',
    text: `update devflow.schedules set last_run = $3, remaining = remaining - (not $4)::int,
             version = version + coalesce(not $4 and remaining = 1, false)::int
           where tenant = $1 and 'schedule/' || id = $2`,
    values: [tenant, source, run, isManual],
  })
}

/** Makes due what waited for the last run of its schedule, where that is over: of each schedule the earliest. */
export async function releaseOccasions(db: Queryable): Promise<number> {
  const { rowCount } = await db.query({
    name: 'release-occasions',
    text: `update devflow.submissions set due_at = clock_timestamp() where status = 'waiting' and due_at = 'infinity' and id in (
             select distinct on (o.tenant, o.source) o.id from devflow.submissions o
             join devflow.schedules s on s.tenant = o.tenant and 'schedule/' || s.id = o.source
             where o.status = 'waiting' and o.due_at = 'infinity' and not s.is_paused
               and not exists (select 1 from devflow.runs r where r.id = s.last_run and r.status not in ${OVER})
             order by o.tenant, o.source, o.at, o.id)`,
  })
  return rowCount ?? 0
}
