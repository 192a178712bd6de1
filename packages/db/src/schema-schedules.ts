import { sql } from 'drizzle-orm'
import { bigint, boolean, index, integer, jsonb, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { devflow, tenant, time } from './schema-base.ts'

/** Runs to be started at times. The truth: Temporal's schedules are made to be like these rows. */
export const schedules = devflow.table(
  'schedules',
  {
    tenant: tenant(),
    id: text('id').notNull(),
    spec: jsonb('spec').notNull(),
    /** The body of a submission, whose strings may hold expressions over `schedule`. */
    submit: jsonb('submit').notNull(),
    overlap: text('overlap').notNull(),
    jitter: text('jitter'),
    catchUp: text('catch_up').notNull(),
    /** So many runs are left; null: no end. */
    remaining: integer('remaining'),
    isPaused: boolean('is_paused').notNull().default(false),
    pausedBecause: text('paused_because'),
    /** Its times count from here: since it was made, resumed, or given other times. */
    activeSince: time('active_since').notNull(),
    /** All its times until then are on record. */
    caughtUpTo: time('caught_up_to').notNull().defaultNow(),
    /** Grows with every change that Temporal must hear of. */
    version: bigint('version', { mode: 'number' }).notNull().default(1),
    mirroredVersion: bigint('mirrored_version', { mode: 'number' }).notNull().default(0),
    mirrorError: text('mirror_error'),
    /** The run it started last. */
    lastRun: uuid('last_run'),
    actor: text('actor').notNull(),
    updatedAt: time('updated_at').notNull(),
    /** Deleted; the row stays until Temporal's schedule is gone. */
    deletedAt: time('deleted_at'),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id] }),
    index('schedules_to_mirror').on(table.updatedAt).where(sql`mirrored_version <> version`),
  ],
)
