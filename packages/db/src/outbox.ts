import { CHANNELS } from '@devflow/contracts'
import type pg from 'pg'

/** A run whose workflow must be woken, with what the Temporal UI shows of it. */
export interface Wake {
  runId: string
  tenant: string
  template: string
  title: string
  status: string
  attempts: number
  /** The newest outbox row this wake answers. */
  upTo: number
}

/** A claimed wake comes back after this time when nobody acknowledged it: its dispatcher died. */
const LEASE = '5 seconds'

/**
 * Claims wakes that are due, several rows of a run as one, skipping what others hold. At least once: `settleWakes`
 * deletes what Temporal took.
 */
export async function claimWakes(pool: pg.Pool, most: number): Promise<Wake[]> {
  const { rows } = await pool.query<Omit<Wake, 'upTo'> & { upTo: string }>({
    name: 'claim-wakes',
    text: `with due as (
             select id from devflow.outbox where due_at <= clock_timestamp() order by due_at, id limit $1 for update skip locked
           ), claimed as (
             update devflow.outbox o set due_at = clock_timestamp() + interval '${LEASE}', attempts = attempts + 1
             from due where o.id = due.id returning o.id, o.run_id, o.attempts
           ), wakes as (
             select run_id, max(id) as up_to, max(attempts) as attempts from claimed group by run_id
           )
           select w.run_id as "runId", w.up_to as "upTo", w.attempts, r.tenant, r.template, r.status, coalesce(d.body->>'title', r.template) as title
           from wakes w join devflow.runs r on r.id = w.run_id left join devflow.definitions d on d.hash = r.definition_hash
           order by w.up_to`,
    values: [most],
  })
  return rows.map((row) => ({ ...row, upTo: Number(row.upTo) }))
}

/** Deletes the rows that these wakes answered. */
export async function settleWakes(pool: pg.Pool, wakes: Pick<Wake, 'runId' | 'upTo'>[]): Promise<void> {
  await pool.query({
    name: 'settle-wakes',
    text: `delete from devflow.outbox o using unnest($1::uuid[], $2::bigint[]) as w(run_id, up_to)
           where o.run_id = w.run_id and o.id <= w.up_to`,
    values: [wakes.map((wake) => wake.runId), wakes.map((wake) => wake.upTo)],
  })
}

/** Puts wakes back that Temporal did not take, to be claimed again after `delayMs`. */
export async function postponeWakes(
  pool: pg.Pool,
  wakes: Pick<Wake, 'runId' | 'upTo'>[],
  delayMs: number,
): Promise<void> {
  await pool.query({
    name: 'postpone-wakes',
    text: `update devflow.outbox o set due_at = clock_timestamp() + make_interval(secs => $3::float8 / 1000)
           from unnest($1::uuid[], $2::bigint[]) as w(run_id, up_to) where o.run_id = w.run_id and o.id <= w.up_to`,
    values: [wakes.map((wake) => wake.runId), wakes.map((wake) => wake.upTo), delayMs],
  })
}

/** Ms until the next wake is due; undefined when there is none. */
export async function nextWakeInMs(pool: pg.Pool): Promise<number | undefined> {
  const { rows } = await pool.query<{ ms: string | null }>({
    name: 'next-wake',
    text: 'select extract(epoch from min(due_at) - clock_timestamp()) * 1000 as ms from devflow.outbox',
  })
  return rows[0]?.ms == null ? undefined : Number(rows[0].ms)
}

/** Ids of runs that are not over and have no wake queued, of those begun before `olderThanMs` ago. */
export async function unfinishedRuns(pool: pg.Pool, olderThanMs: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>({
    name: 'unfinished-runs',
    text: `select r.id from devflow.runs r
           where r.status in ('queued', 'running', 'waiting', 'paused') and r.created_at < clock_timestamp() - make_interval(secs => $1::float8 / 1000)
             and not exists (select 1 from devflow.outbox o where o.run_id = r.id)`,
    values: [olderThanMs],
  })
  return rows.map((row) => row.id)
}

/** Queues a wake for each of these runs. */
export async function queueWakes(pool: pg.Pool, runs: string[]): Promise<void> {
  await pool.query({
    name: 'queue-wakes',
    text: 'select devflow.wake(run) from unnest($1::uuid[]) run',
    values: [runs],
  })
}

/** Asks a run's workflow to look at the log once more. */
export async function wakeRun(pool: pg.Pool, run: string): Promise<void> {
  await pool.query({ name: 'wake-run', text: 'select devflow.wake($1)', values: [run] })
  await pokeOutbox(pool)
}

/** Says that there is a wake in the outbox. Lost, it only delays that. */
export async function pokeOutbox(pool: pg.Pool): Promise<void> {
  await pool.query('select pg_notify($1, $2)', [CHANNELS.outbox, ''])
}
