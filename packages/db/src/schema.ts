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
import { devflow, micro, tenant, time } from './schema-base.ts'

export * from './schema-access.ts'
export { devflow } from './schema-base.ts'
export * from './schema-budgets.ts'
export * from './schema-gates.ts'
export * from './schema-pricing.ts'
export * from './schema-registry.ts'
export * from './schema-schedules.ts'
export * from './schema-topics.ts'
export * from './schema-webhooks.ts'
export * from './schema-workspace.ts'

/** Definitions frozen at submission, shared by the runs that pin them (I9). */
export const definitions = devflow.table('definitions', {
  hash: text('hash').primaryKey(),
  tenant: tenant(),
  format: integer('format').notNull(),
  body: jsonb('body').notNull(),
  createdAt: time('created_at').notNull().defaultNow(),
})

/** Projection: one row a run. */
export const runs = devflow.table(
  'runs',
  {
    id: uuid('id').primaryKey(),
    tenant: tenant(),
    template: text('template').notNull(),
    definitionHash: text('definition_hash').notNull(),
    status: text('status').notNull(),
    input: jsonb('input'),
    labels: jsonb('labels').notNull(),
    budget: jsonb('budget').notNull(),
    workspace: jsonb('workspace'),
    actor: text('actor').notNull(),
    parent: uuid('parent'),
    forkedFrom: uuid('forked_from'),
    attempt: integer('attempt').notNull(),
    output: jsonb('output'),
    error: jsonb('error'),
    createdAt: time('created_at').notNull(),
    startedAt: time('started_at'),
    endedAt: time('ended_at'),
  },
  (table) => [
    index('runs_by_status').on(table.tenant, table.status, table.id),
    index('runs_by_template').on(table.tenant, table.template, table.id),
    index('runs_by_label').using('gin', table.labels),
    index('runs_by_parent').on(table.parent).where(sql`parent is not null`),
  ],
)

/**
 * The narrow row that every append locks. `seq`: last seq given out. `executionEpoch`: which Temporal execution may
 * write (I13). `control`: what commands ask of the run: go, paused, canceled, or over.
 */
export const runHeads = devflow.table('run_heads', {
  runId: uuid('run_id').primaryKey(),
  tenant: tenant(),
  seq: bigint('seq', { mode: 'number' }).notNull(),
  lastAt: time('last_at').notNull(),
  control: text('control').notNull(),
  commands: integer('commands').notNull(),
  executionEpoch: integer('execution_epoch').notNull(),
  execution: text('execution'),
  /** Its calls are charged to pools too. False wherever nobody has set a shared budget: then a turn pays nothing for them. */
  pooled: boolean('pooled').notNull().default(false),
  /** The run whose budget this one shares, itself included; null while nothing is shared. */
  root: uuid('root'),
})

/** Projection: what a run may spend, what is reserved, what is settled. Locked where calls are reserved or settled. */
export const runBudgets = devflow.table('run_budgets', {
  runId: uuid('run_id').primaryKey(),
  tenant: tenant(),
  limitMicroUsd: micro('limit_micro_usd'),
  limitTokens: bigint('limit_tokens', { mode: 'number' }),
  onExceeded: text('on_exceeded'),
  allowUnpriced: boolean('allow_unpriced').notNull().default(false),
  /** By pool: how much this run may have spent in all while the pool's limit does not hold it. */
  passes: jsonb('passes'),
  reservedMicroUsd: micro('reserved_micro_usd').notNull(),
  settledMicroUsd: micro('settled_micro_usd').notNull(),
  reservedTokens: bigint('reserved_tokens', { mode: 'number' }).notNull(),
  settledTokens: bigint('settled_tokens', { mode: 'number' }).notNull(),
})

/** Projection: the phases of a run. */
export const phases = devflow.table(
  'phases',
  {
    runId: uuid('run_id').notNull(),
    id: text('id').notNull(),
    tenant: tenant(),
    /** Where it stands in its run: one number at the top, three more for each phase around it (see `Position`). */
    position: integer('position').array().notNull(),
    kind: text('kind').notNull(),
    status: text('status').notNull(),
    attempt: integer('attempt').notNull(),
    /** The attempt at which counting for the phase's own `retry` began: 1, or where a person retried the run. */
    roundAttempt: integer('round_attempt').notNull(),
    startedAt: time('started_at'),
    endedAt: time('ended_at'),
    retryAt: time('retry_at'),
    deadline: time('deadline'),
    error: jsonb('error'),
    /** The phase's output for expressions: an artifact's `{artifact, sha256}`, a decision, a signal's data. */
    output: jsonb('output'),
    /** Of a phase that holds others: the attempt its insides began anew with. */
    generation: integer('generation').notNull().default(1),
    /** How many of its groups (branches, items, iterations) are on record so far, and of how many in all. */
    opened: integer('opened').notNull().default(0),
    total: integer('total'),
    /** The blob that holds the list a map goes over. */
    items: text('items'),
    /** A failure of it is passed over. */
    continues: boolean('continues').notNull().default(false),
    /** The run a workflow phase started. */
    child: uuid('child'),
    /** The decision that sent the run back to here: `{gate, attempt, round, for}`. */
    sentBack: jsonb('sent_back'),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.id] }),
    // What a run's next step is decided by: its top level, and of thousands of nested phases those that are not over.
    index('phases_in_view')
      .on(table.runId, table.position)
      .where(sql`cardinality(position) = 1 or status in ('pending', 'running', 'waiting', 'failed')`),
  ],
)

/** Epochs of agent sessions: the one writer of an attempt (I13). */
export const sessions = devflow.table(
  'sessions',
  {
    runId: uuid('run_id').notNull(),
    session: text('session').notNull(),
    tenant: tenant(),
    epoch: integer('epoch').notNull(),
    takenAt: time('taken_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.session] })],
)

/** Projection: the ledger, one row a request to a provider. Those of a deleted run stay, since their money is spent. */
export const modelCalls = devflow.table(
  'model_calls',
  {
    runId: uuid('run_id').notNull(),
    phase: text('phase').notNull(),
    attempt: integer('attempt').notNull(),
    turn: integer('turn').notNull(),
    call: integer('call').notNull(),
    tenant: tenant(),
    persona: text('persona').notNull(),
    provider: text('provider').notNull(),
    model: text('model').notNull(),
    modelUsed: text('model_used'),
    status: text('status').notNull(),
    reservedMicroUsd: micro('reserved_micro_usd').notNull(),
    reservedTokens: bigint('reserved_tokens', { mode: 'number' }).notNull(),
    costMicroUsd: micro('cost_micro_usd'),
    costSource: text('cost_source'),
    inputTokens: bigint('input_tokens', { mode: 'number' }),
    outputTokens: bigint('output_tokens', { mode: 'number' }),
    cachedTokens: bigint('cached_tokens', { mode: 'number' }),
    reasoningTokens: bigint('reasoning_tokens', { mode: 'number' }),
    generationId: text('generation_id'),
    latencyMs: bigint('latency_ms', { mode: 'number' }),
    at: time('at').notNull(),
    endedAt: time('ended_at'),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.phase, table.attempt, table.turn, table.call] }),
    // A day's calls lie together: next to no cost for a call, and a day is found without reading the rest.
    index('model_calls_by_time').using('brin', table.at),
  ],
)

/** Projection: signals received, and which wait phase took each. */
export const signals = devflow.table(
  'signals',
  {
    runId: uuid('run_id').notNull(),
    name: text('name').notNull(),
    id: text('id').notNull(),
    tenant: tenant(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    data: jsonb('data'),
    takenBy: text('taken_by'),
    at: time('at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.name, table.id] }),
    // Those that still wait for somebody to take them: of the thousands that a loop may have taken none is looked at.
    index('signals_in_view').on(table.runId, table.seq).where(sql`taken_by is null`),
  ],
)

/** Projection: validated output and reports; the bytes are in `blobs`. */
export const artifacts = devflow.table(
  'artifacts',
  {
    runId: uuid('run_id').notNull(),
    name: text('name').notNull(),
    version: integer('version').notNull(),
    tenant: tenant(),
    sha256: text('sha256').notNull(),
    mediaType: text('media_type').notNull(),
    bytes: integer('bytes').notNull(),
    phase: text('phase'),
    attempt: integer('attempt'),
    at: time('at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.name, table.version] })],
)

/** Runs whose workflow must be woken; a row is deleted once Temporal has taken the wake (I10). */
export const outbox = devflow.table(
  'outbox',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    runId: uuid('run_id').notNull(),
    tenant: tenant(),
    createdAt: time('created_at').notNull().defaultNow(),
    dueAt: time('due_at').notNull().defaultNow(),
    attempts: integer('attempts').notNull().default(0),
  },
  (table) => [index('outbox_due').on(table.dueAt), index('outbox_by_run').on(table.runId)],
)

/** Answers by Idempotency-Key, kept while what the key made exists. */
export const idempotencyKeys = devflow.table(
  'idempotency_keys',
  {
    tenant: tenant(),
    key: text('key').notNull(),
    method: text('method').notNull(),
    path: text('path').notNull(),
    bodyHash: text('body_hash').notNull(),
    /** Null: what it made is no run, and is never deleted. */
    runId: uuid('run_id'),
    status: integer('status').notNull(),
    answer: jsonb('answer').notNull(),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.key] }),
    index('idempotency_by_run').on(table.runId),
  ],
)

/** What is left of a deleted run, beside its calls in `model_calls`. */
export const tombstones = devflow.table('tombstones', {
  runId: uuid('run_id').primaryKey(),
  tenant: tenant(),
  actor: text('actor').notNull(),
  deletedAt: time('deleted_at').notNull().defaultNow(),
  /** What its calls are accounted by: they stay in the ledger. */
  template: text('template'),
  labels: jsonb('labels'),
  /** The run whose budget it shared, if any. */
  root: uuid('root'),
})
