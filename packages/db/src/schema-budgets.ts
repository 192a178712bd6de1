import { bigint, bigserial, boolean, date, integer, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { devflow, micro, time } from './schema-base.ts'

const tokens = (name: string) => bigint(name, { mode: 'number' })

/**
 * Limits as people have set them. Scope `run`: what a run has that says nothing itself. `day` holds for all tenants
 * together and has the tenant `*`. `persona`: an id, a name for all its versions, or '' for every persona by itself.
 */
export const budgets = devflow.table(
  'budgets',
  {
    tenant: text('tenant').notNull(),
    scope: text('scope').notNull(),
    persona: text('persona').notNull().default(''),
    position: integer('position').notNull(),
    limitMicroUsd: micro('limit_micro_usd'),
    limitTokens: tokens('limit_tokens'),
    onExceeded: text('on_exceeded').notNull(),
    allowUnpriced: boolean('allow_unpriced').notNull().default(false),
    actor: text('actor').notNull(),
    at: time('at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.scope, table.persona] })],
)

/**
 * What many runs draw on together: a budget on one UTC day, or (scope `run`) the budget of a run with children, whose
 * id is then the `persona` and whose day is -infinity. What is charged to a pool stands in its slices, and here
 * for slices that were returned. Together they equal the ledger.
 */
export const budgetPools = devflow.table(
  'budget_pools',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    tenant: text('tenant').notNull(),
    scope: text('scope').notNull(),
    persona: text('persona').notNull(),
    day: date('day').notNull(),
    limitMicroUsd: micro('limit_micro_usd'),
    limitTokens: tokens('limit_tokens'),
    onExceeded: text('on_exceeded').notNull(),
    allowUnpriced: boolean('allow_unpriced').notNull(),
    /** Under `warn_continue`: the limit was crossed, and is not looked at any more. */
    crossed: boolean('crossed').notNull().default(false),
    usedMicroUsd: micro('used_micro_usd').notNull(),
    usedTokens: tokens('used_tokens').notNull(),
  },
  (table) => [uniqueIndex('budget_pools_by_day').on(table.day, table.scope, table.tenant, table.persona)],
)

/** What a process may spend of a pool without asking (drawn), and what it has charged to it (used). */
export const budgetSlices = devflow.table(
  'budget_slices',
  {
    pool: bigint('pool', { mode: 'number' }).notNull(),
    process: text('process').notNull(),
    drawnMicroUsd: micro('drawn_micro_usd').notNull(),
    drawnTokens: tokens('drawn_tokens').notNull(),
    usedMicroUsd: micro('used_micro_usd').notNull(),
    usedTokens: tokens('used_tokens').notNull(),
    at: time('at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.pool, table.process] })],
)
