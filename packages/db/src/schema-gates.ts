import { sql } from 'drizzle-orm'
import { boolean, index, integer, jsonb, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { devflow, tenant, time } from './schema-base.ts'

/** Projection: gates, one row a gate; a new attempt of its phase opens it anew. */
export const gates = devflow.table(
  'gates',
  {
    runId: uuid('run_id').notNull(),
    id: text('id').notNull(),
    tenant: tenant(),
    phase: text('phase').notNull(),
    attempt: integer('attempt').notNull(),
    status: text('status').notNull(),
    title: text('title').notNull(),
    subject: jsonb('subject').notNull(),
    subjectHash: text('subject_hash').notNull(),
    quorum: integer('quorum').notNull(),
    rejectQuorum: integer('reject_quorum').notNull(),
    /** Null: whoever may decide gates. */
    approvers: text('approvers').array(),
    requireSubjectHash: boolean('require_subject_hash').notNull(),
    onReject: text('on_reject').notNull(),
    onDeadline: jsonb('on_deadline'),
    /** Where the run goes back to: `{changes?: {to, for}, reject?: {to, for}, maxRounds}`; and how often it has. */
    goesBack: jsonb('goes_back'),
    rounds: integer('rounds').notNull().default(0),
    /** Whose own work it asks about, where that is nobody's to approve. */
    author: text('author'),
    remindEvery: text('remind_every'),
    remindAt: time('remind_at'),
    reminders: integer('reminders').notNull().default(0),
    delegations: integer('delegations').notNull().default(0),
    refusals: integer('refusals').notNull().default(0),
    /** Of an automatic gate: the budget it asks to raise. */
    budget: jsonb('budget'),
    escalatedAt: time('escalated_at'),
    /** Steps of the escalation taken. */
    escalations: integer('escalations').notNull().default(0),
    deadline: time('deadline'),
    openedAt: time('opened_at').notNull(),
    closedAt: time('closed_at'),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.id] }),
    index('gates_by_status').on(table.tenant, table.status, table.openedAt),
    // What a run's next step is decided by, of the thousands of gates that a loop may have had.
    index('gates_in_view')
      .on(table.runId)
      .where(sql`status = 'open' or status = 'rejected' and (on_reject = 'end' or budget is not null)`),
  ],
)

/** Projection: decisions, at most one a principal and opening (I6). */
export const gateDecisions = devflow.table(
  'gate_decisions',
  {
    runId: uuid('run_id').notNull(),
    gate: text('gate').notNull(),
    attempt: integer('attempt').notNull(),
    principal: text('principal').notNull(),
    tenant: tenant(),
    decision: text('decision').notNull(),
    comment: text('comment'),
    subjectHash: text('subject_hash').notNull(),
    implied: boolean('implied').notNull(),
    via: text('via').notNull(),
    at: time('at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.gate, table.attempt, table.principal] })],
)

/** Projection: who decides in whose place at an opening of a gate; the latest a principal has named counts. */
export const gateDelegations = devflow.table(
  'gate_delegations',
  {
    runId: uuid('run_id').notNull(),
    gate: text('gate').notNull(),
    attempt: integer('attempt').notNull(),
    principal: text('principal').notNull(),
    tenant: tenant(),
    delegate: text('delegate').notNull(),
    /** The principal was an approver by itself, not only in somebody's place. */
    own: boolean('own').notNull(),
    comment: text('comment'),
    via: text('via').notNull(),
    at: time('at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.gate, table.attempt, table.principal] })],
)
