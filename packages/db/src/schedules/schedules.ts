import type {
  Occasion,
  Overlap,
  PutSchedule,
  Schedule,
  ScheduleSpec,
  SubmitTemplate,
} from '@devflow/contracts'
import { z } from 'zod'
import { CursorText, keyOfCursor, type Page, pageOf } from '../read/cursor.ts'
import { isoTime, type Numeric, present, type Queryable } from '../read/queryable.ts'

/** A schedule as it is kept; when it is due is worked out from it. */
export interface StoredSchedule {
  tenant: string
  id: string
  spec: ScheduleSpec
  submit: SubmitTemplate
  overlap: Overlap
  jitter: string | null
  catch_up: string
  remaining: number | null
  is_paused: boolean
  paused_because: string | null
  active_since: Date
  caught_up_to: Date
  version: Numeric
  mirrored_version: Numeric
  mirror_error: string | null
  deleted_at: Date | null
  actor: string
  updated_at: Date
}

interface Row extends StoredSchedule {
  last: Omit<Occasion, 'at'>[] | null
}

const MOST_OCCASIONS = 5
const DEFAULT_CATCH_UP = 'P1D'

const SELECT = `select s.*, l.last from devflow.schedules s left join lateral (
    select jsonb_agg(jsonb_build_object('status', o.status, 'runId', o.run_id, 'error', o.error, 'reason', o.reason, 'at', o.at) order by o.id desc) as last
    from (select * from devflow.submissions where tenant = s.tenant and source = 'schedule/' || s.id order by id desc limit ${MOST_OCCASIONS}) o
  ) l on true`

/** All but its next times. */
export type ReadSchedule = Omit<Schedule, 'next'>

function scheduleOf(row: Row): ReadSchedule {
  const last = (row.last ?? []) as (Occasion & { at: string })[]
  return present({
    id: row.id,
    spec: row.spec,
    submit: row.submit,
    overlap: row.overlap,
    jitter: row.jitter ?? undefined,
    catchUp: row.catch_up,
    remaining: row.remaining ?? undefined,
    paused: row.is_paused,
    pausedBecause: row.paused_because ?? undefined,
    last: last.map((occasion) => present({ ...occasion, at: isoTime(occasion.at) })),
    mirrored: row.mirrored_version === row.version && row.mirror_error === null,
    problem: row.mirror_error ?? undefined,
    actor: row.actor,
    updatedAt: isoTime(row.updated_at),
  })
}

/** Makes a schedule or replaces it: its times count from now where they change. Whether it is paused stays. */
export async function putSchedule(
  db: Queryable,
  { tenant, id, actor }: { tenant: string; id: string; actor: string },
  { spec, submit, overlap = 'skip', jitter, catchUp = DEFAULT_CATCH_UP, remaining }: PutSchedule,
): Promise<void> {
  await db.query({
    text: `insert into devflow.schedules as s (tenant, id, spec, submit, overlap, jitter, catch_up, remaining, active_since, actor, updated_at)
           values ($1, $2, $3::jsonb, $4::jsonb, $5, $6, $7, $8, clock_timestamp(), $9, clock_timestamp())
           on conflict (tenant, id) do update set spec = excluded.spec, submit = excluded.submit, overlap = excluded.overlap,
             jitter = excluded.jitter, catch_up = excluded.catch_up, remaining = excluded.remaining, actor = excluded.actor,
             updated_at = excluded.updated_at, version = s.version + 1, mirror_error = null, deleted_at = null,
             is_paused = s.is_paused and s.deleted_at is null,
             paused_because = case when s.deleted_at is null then s.paused_because end,
             active_since = case when s.spec = excluded.spec and s.deleted_at is null then s.active_since else excluded.active_since end`,
    values: [
      tenant,
      id,
      JSON.stringify(spec),
      JSON.stringify(submit),
      overlap,
      jitter ?? null,
      catchUp,
      remaining ?? null,
      actor,
    ],
  })
}

export async function readSchedule(
  db: Queryable,
  tenant: string,
  id: string,
): Promise<ReadSchedule | undefined> {
  const { rows } = await db.query<Row>({
    text: `${SELECT} where s.tenant = $1 and s.id = $2 and s.deleted_at is null`,
    values: [tenant, id],
  })
  return rows[0] && scheduleOf(rows[0])
}

/** A schedule as it is kept, unless it is deleted. */
export async function storedSchedule(
  db: Queryable,
  { tenant, id }: { tenant: string; id: string },
): Promise<StoredSchedule | undefined> {
  const { rows } = await db.query<StoredSchedule>({
    text: 'select * from devflow.schedules where tenant = $1 and id = $2 and deleted_at is null',
    values: [tenant, id],
  })
  return rows[0]
}

/** Schedules by id. */
export async function listSchedules(
  db: Queryable,
  tenant: string,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<Page<ReadSchedule>> {
  const [after] = cursor === undefined ? [''] : keyOfCursor(cursor, z.tuple([CursorText]))
  const { rows } = await db.query<Row>({
    text: `${SELECT} where s.tenant = $1 and s.id > $2 and s.deleted_at is null order by s.id limit $3`,
    values: [tenant, after, limit + 1],
  })
  return pageOf(rows, limit, scheduleOf, ({ id }) => [id])
}

/** Pauses a schedule, or lets it go on from now; unchanged when it is so already. False: there is none. */
export async function pauseSchedule(
  db: Queryable,
  { tenant, id, pause, reason }: { tenant: string; id: string; pause: boolean; reason?: string | undefined },
): Promise<boolean> {
  const { rowCount } = await db.query({
    text: `update devflow.schedules set is_paused = $3, paused_because = case when $3 then $4::text end,
             active_since = case when is_paused and not $3 then clock_timestamp() else active_since end,
             updated_at = case when is_paused = $3 then updated_at else clock_timestamp() end,
             version = version + (is_paused <> $3)::int
           where tenant = $1 and id = $2 and deleted_at is null`,
    values: [tenant, id, pause, reason ?? null],
  })
  return rowCount === 1
}

/** Deletes a schedule, and what it still waited to submit; false when there was none. Runs it has started go on. */
export async function deleteSchedule(db: Queryable, tenant: string, id: string): Promise<boolean> {
  const { rowCount } = await db.query({
    text: `with gone as (
             update devflow.schedules set deleted_at = clock_timestamp(), updated_at = clock_timestamp(), version = version + 1
             where tenant = $1 and id = $2 and deleted_at is null returning 1
           ), dropped as (
             update devflow.submissions set status = 'skipped', reason = 'deleted', settled_at = clock_timestamp()
             where tenant = $1 and source = 'schedule/' || $2 and status = 'waiting' and exists (select 1 from gone)
           )
           select 1 from gone`,
    values: [tenant, id],
  })
  return rowCount === 1
}
