import { bigint, integer, jsonb, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { devflow } from './schema.ts'

/** The run log and its chunks, for reading. Their tables are made by hand in the migrations, since they are partitioned. */
export const runEvents = devflow.table('run_events', {
  runId: uuid('run_id').notNull(),
  seq: bigint('seq', { mode: 'number' }).notNull(),
  tenant: text('tenant').notNull(),
  type: text('type').notNull(),
  phase: text('phase'),
  attempt: integer('attempt'),
  turn: integer('turn'),
  key: text('key').notNull(),
  data: jsonb('data').$type<Record<string, unknown>>().notNull(),
  at: timestamp('at', { withTimezone: true, mode: 'date' }).notNull(),
})
