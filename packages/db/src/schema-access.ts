import { type AnyPgColumn, index, text, uuid } from 'drizzle-orm/pg-core'
import { devflow, tenant, time } from './schema-base.ts'

/** Tokens that call the API. The token itself is nowhere: only its hash is. */
export const tokens = devflow.table(
  'tokens',
  {
    id: uuid('id').primaryKey(),
    tenant: tenant(),
    /** Hex SHA-256 of the token. */
    hash: text('hash').notNull().unique(),
    name: text('name').notNull(),
    principal: text('principal').notNull(),
    scopes: text('scopes').array().notNull(),
    /** At gates. */
    roles: text('roles').array().notNull(),
    /** Who minted it. */
    actor: text('actor').notNull(),
    /** The token it was minted with as another of the same principal: it ends with that one. */
    parent: uuid('parent').references((): AnyPgColumn => tokens.id, { onDelete: 'cascade' }),
    createdAt: time('created_at').notNull(),
    expiresAt: time('expires_at').notNull(),
  },
  (table) => [
    index('tokens_by_id').on(table.tenant, table.id),
    index('tokens_by_parent').on(table.parent),
    index('tokens_expired').on(table.expiresAt),
  ],
)
