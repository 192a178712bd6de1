import type pg from 'pg'
import { transaction } from '../command/transaction.ts'
import type { Queryable } from '../read/queryable.ts'
import type { StoredSchedule } from './schedules.ts'

/** Where a schedule is told apart from others. */
export interface ScheduleRef {
  tenant: string
  id: string
}

/** Schedules that Temporal has not been told of as they are now. */
export async function schedulesToMirror(db: Queryable, limit: number): Promise<ScheduleRef[]> {
  const { rows } = await db.query<{ tenant: string; id: string }>({
    name: 'schedules-to-mirror',
    text: `select tenant, id from devflow.schedules where mirrored_version <> version order by updated_at limit $1`,
    values: [limit],
  })
  return rows
}

/**
 * Has `mirror` make Temporal's schedule like this one, by one process at a time; undefined: another is at it, or it is gone.
 * `mirror` answers why Temporal does not take it, if so. In its transaction: what it adds is kept with what it says.
 */
export async function mirrorOnce(
  pool: pg.Pool,
  { tenant, id }: ScheduleRef,
  mirror: (db: Queryable, schedule: StoredSchedule) => Promise<string | undefined>,
): Promise<void> {
  await transaction(pool, async (db) => {
    const { rows: locks } = await db.query<{ mine: boolean }>({
      text: `select pg_try_advisory_xact_lock(hashtextextended('schedule/' || $1 || '/' || $2, 0)) as mine`,
      values: [tenant, id],
    })
    if (!locks[0]?.mine) return
    const { rows } = await db.query<StoredSchedule>({
      text: 'select * from devflow.schedules where tenant = $1 and id = $2 and mirrored_version <> version',
      values: [tenant, id],
    })
    const [schedule] = rows
    if (!schedule) return
    const error = await mirror(db, schedule)
    if (schedule.deleted_at === null)
      await db.query({
        text: `update devflow.schedules set mirrored_version = $3, mirror_error = $4 where tenant = $1 and id = $2`,
        values: [tenant, id, schedule.version, error ?? null],
      })
    // It may have been made anew meanwhile.
    else
      await db.query({
        text: 'delete from devflow.schedules where tenant = $1 and id = $2 and version = $3',
        values: [tenant, id, schedule.version],
      })
  })
}

/** Schedules of which Temporal is said to know, with the version it has. */
export async function mirroredSchedules(
  db: Queryable,
): Promise<(ScheduleRef & { version: string; paused: boolean })[]> {
  const { rows } = await db.query<ScheduleRef & { version: string; paused: boolean }>({
    text: `select tenant, id, version, (is_paused or coalesce(remaining = 0, false)) as paused
           from devflow.schedules where mirrored_version = version and mirror_error is null`,
  })
  return rows
}

/** Has these schedules mirrored anew. */
export async function mirrorAnew(db: Queryable, schedules: readonly ScheduleRef[]): Promise<void> {
  await db.query({
    text: `update devflow.schedules s set mirrored_version = 0
           from unnest($1::text[], $2::text[]) as o(tenant, id) where s.tenant = o.tenant and s.id = o.id`,
    values: [schedules.map(({ tenant }) => tenant), schedules.map(({ id }) => id)],
  })
}

/** All schedules, also those that are to be deleted in Temporal. */
export async function allSchedules(db: Queryable): Promise<ScheduleRef[]> {
  const { rows } = await db.query<{ tenant: string; id: string }>({
    text: 'select tenant, id from devflow.schedules',
  })
  return rows
}

/** Schedules that count and whose times until `before` may not all be on record. */
export async function schedulesBehind(db: Queryable, before: Date): Promise<StoredSchedule[]> {
  const { rows } = await db.query<StoredSchedule>({
    text: `select * from devflow.schedules
           where deleted_at is null and not is_paused and remaining is distinct from 0 and caught_up_to < $1`,
    values: [before],
  })
  return rows
}

/** Notes that all times of these schedules until then are on record. */
export async function noteCaughtUp(
  db: Queryable,
  schedules: readonly ScheduleRef[],
  until: Date,
): Promise<void> {
  await db.query({
    text: `update devflow.schedules s set caught_up_to = $3
           from unnest($1::text[], $2::text[]) as o(tenant, id) where s.tenant = o.tenant and s.id = o.id and s.caught_up_to < $3`,
    values: [schedules.map(({ tenant }) => tenant), schedules.map(({ id }) => id), until],
  })
}
