import { index, integer, jsonb, primaryKey, text } from 'drizzle-orm/pg-core'
import { devflow, tenant, time } from './schema-base.ts'

/** Versions of the registry: who changed it, when. Append-only, as are the changes themselves. */
export const registryVersions = devflow.table(
  'registry_versions',
  {
    tenant: tenant(),
    version: integer('version').notNull(),
    actor: text('actor').notNull(),
    restoredFrom: integer('restored_from'),
    at: time('at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.version] })],
)

/** What each version changed. At a version an entry is what its latest change up to there says; no body: deleted. */
export const registryChanges = devflow.table(
  'registry_changes',
  {
    tenant: tenant(),
    id: text('id').notNull(),
    version: integer('version').notNull(),
    position: integer('position').notNull(),
    op: text('op').notNull(),
    kind: text('kind').notNull(),
    hash: text('hash').notNull(),
    body: jsonb('body'),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.id, table.version] }),
    index('registry_changes_by_version').on(table.tenant, table.version, table.position),
  ],
)

/** The first content seen of each `name@version`, in a folder or over HTTP: it has no other, also once it is deleted. */
export const registryPins = devflow.table(
  'registry_pins',
  {
    tenant: tenant(),
    id: text('id').notNull(),
    hash: text('hash').notNull(),
    at: time('at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.id] })],
)
