import { index, integer, jsonb, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { devflow, micro, tenant, time } from './schema-base.ts'

/**
 * What models cost and take in, in micro-dollars per token (`request`: per call). One row a model and source; the reader takes
 * `configuration` before `list` before `seed`. Prices belong to the installation, as its provider keys do.
 */
export const modelPricing = devflow.table(
  'model_pricing',
  {
    provider: text('provider').notNull(),
    model: text('model').notNull(),
    /** `configuration`, `list` or `seed`. */
    source: text('source').notNull(),
    inputMicroUsd: micro('input_micro_usd').notNull(),
    outputMicroUsd: micro('output_micro_usd').notNull(),
    cacheReadMicroUsd: micro('cache_read_micro_usd'),
    cacheWriteMicroUsd: micro('cache_write_micro_usd'),
    reasoningMicroUsd: micro('reasoning_micro_usd'),
    requestMicroUsd: micro('request_micro_usd'),
    /** Prices that hold from so many input tokens on; null: none. */
    tiers: jsonb('tiers'),
    /** Tokens that a request and its answer may have together; null: this source does not say. */
    contextWindow: integer('context_window'),
    fetchedAt: time('fetched_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.provider, table.model, table.source] })],
)

/** How the refresh of each provider's price list stands. */
export const priceLists = devflow.table('price_lists', {
  provider: text('provider').primaryKey(),
  /** When someone last asked for it by hand. */
  requestedAt: time('requested_at'),
  attemptedAt: time('attempted_at'),
  refreshedAt: time('refreshed_at'),
  /** Attempts in a row that failed. */
  failures: integer('failures').notNull().default(0),
  models: integer('models'),
  /** Entries left out, counted by why. */
  leftOut: jsonb('left_out'),
  error: text('error'),
})

/** Calls whose cost the provider is asked for: when next, and how often it was. No projection: it only paces the asking. */
export const callLookups = devflow.table(
  'call_lookups',
  {
    runId: uuid('run_id').notNull(),
    phase: text('phase').notNull(),
    attempt: integer('attempt').notNull(),
    turn: integer('turn').notNull(),
    call: integer('call').notNull(),
    tenant: tenant(),
    looks: integer('looks').notNull(),
    dueAt: time('due_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.phase, table.attempt, table.turn, table.call] }),
    index('call_lookups_due').on(table.dueAt),
  ],
)
