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
  uuid,
} from 'drizzle-orm/pg-core'
import { devflow, tenant, time } from './schema-base.ts'

/** Addresses told of events in the logs of runs. */
export const webhooks = devflow.table(
  'webhooks',
  {
    tenant: tenant(),
    id: text('id').notNull(),
    url: text('url').notNull(),
    /** Patterns of event types. */
    events: text('events').array().notNull(),
    template: text('template'),
    labels: jsonb('labels').notNull(),
    isEnabled: boolean('is_enabled').notNull(),
    /** Why it was switched off by what its receiver answered. */
    offBecause: text('off_because'),
    secret: text('secret').notNull(),
    /** The secret before, which signs as well until its time is over. */
    oldSecret: text('old_secret'),
    oldSecretUntil: time('old_secret_until'),
    actor: text('actor').notNull(),
    updatedAt: time('updated_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.id] })],
)

/** What a webhook has to be told: a row in the transaction of the event, kept until it is delivered and a while after. */
export const webhookDeliveries = devflow.table(
  'webhook_deliveries',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    tenant: tenant(),
    webhook: text('webhook').notNull(),
    runId: uuid('run_id').notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    type: text('type').notNull(),
    /** pending | delivered | dead */
    status: text('status').notNull(),
    attempts: integer('attempts').notNull(),
    dueAt: time('due_at').notNull(),
    answered: integer('answered'),
    error: text('error'),
    createdAt: time('created_at').notNull(),
    endedAt: time('ended_at'),
  },
  (table) => [
    index('webhook_deliveries_due').on(table.dueAt).where(sql`status = 'pending'`),
    index('webhook_deliveries_by_webhook').on(table.tenant, table.webhook, table.id),
    index('webhook_deliveries_ended').on(table.endedAt),
  ],
)
