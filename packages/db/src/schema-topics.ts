import { sql } from 'drizzle-orm'
import {
  bigint,
  bigserial,
  boolean,
  index,
  integer,
  jsonb,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { devflow, tenant, time } from './schema-base.ts'

/** Events from outside, in the order they were committed; kept for a while. `seq` is given out under a lock per tenant. */
export const topicEvents = devflow.table(
  'topic_events',
  {
    seq: bigserial('seq', { mode: 'number' }).primaryKey(),
    tenant: tenant(),
    topic: text('topic').notNull(),
    id: text('id').notNull(),
    data: jsonb('data').notNull(),
    actor: text('actor').notNull(),
    at: time('at').notNull(),
  },
  (table) => [
    uniqueIndex('topic_events_once').on(table.tenant, table.topic, table.id),
    index('topic_events_by_topic').on(table.tenant, table.topic, table.seq),
    index('topic_events_by_age').on(table.at),
  ],
)

/** Projection: phases that wait, or waited, for an event from outside. */
export const eventWaits = devflow.table(
  'event_waits',
  {
    runId: uuid('run_id').notNull(),
    phase: text('phase').notNull(),
    attempt: integer('attempt').notNull(),
    tenant: tenant(),
    pattern: text('pattern').notNull(),
    /** What an event must hold to be looked at more closely; null: nothing. */
    filter: jsonb('filter'),
    isOpen: boolean('is_open').notNull(),
    /** The event that ended the wait. */
    taken: bigint('taken', { mode: 'number' }),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.phase, table.attempt] }),
    index('event_waits_open').on(table.tenant).where(sql`is_open`),
  ],
)

/** How far a wait has looked through the events: each is put to its `match` once. No projection: it only saves work. */
export const eventLooks = devflow.table(
  'event_looks',
  {
    runId: uuid('run_id').notNull(),
    phase: text('phase').notNull(),
    attempt: integer('attempt').notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.phase, table.attempt] })],
)

/** Runs to be started by events that match. */
export const triggers = devflow.table(
  'triggers',
  {
    tenant: tenant(),
    id: text('id').notNull(),
    pattern: text('pattern').notNull(),
    match: text('match'),
    /** The body of a submission, whose strings may hold expressions over `event`. */
    submit: jsonb('submit').notNull(),
    isEnabled: boolean('is_enabled').notNull(),
    actor: text('actor').notNull(),
    updatedAt: time('updated_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.id] })],
)

/** Runs that something other than a request asks for: made due here, submitted from here, once a source and key. */
export const submissions = devflow.table(
  'submissions',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    tenant: tenant(),
    /** `trigger/<id>` or `schedule/<id>`. */
    source: text('source').notNull(),
    key: text('key').notNull(),
    submit: jsonb('submit').notNull(),
    match: text('match'),
    event: jsonb('event'),
    /** The time of a schedule's occasion. */
    at: time('at'),
    /** Instead of the schedule's policy. */
    overlap: text('overlap'),
    /** Asked for by a person: it does not count. */
    isManual: boolean('is_manual').notNull().default(false),
    /** waiting | submitted | skipped (does not match, or is not to be) | failed */
    status: text('status').notNull(),
    /** Why a schedule's occasion was skipped. */
    reason: text('reason'),
    attempts: integer('attempts').notNull(),
    /** Infinity: when the last run of its schedule is over. */
    dueAt: time('due_at').notNull(),
    runId: uuid('run_id'),
    error: jsonb('error'),
    createdAt: time('created_at').notNull(),
    settledAt: time('settled_at'),
  },
  (table) => [
    uniqueIndex('submissions_once').on(table.tenant, table.source, table.key),
    index('submissions_due').on(table.dueAt).where(sql`status = 'waiting'`),
    index('submissions_waiting').on(table.tenant, table.source, table.at).where(sql`status = 'waiting'`),
    index('submissions_by_source').on(table.tenant, table.source, table.id),
  ],
)
