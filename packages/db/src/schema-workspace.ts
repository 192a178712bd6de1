import { bigint, integer, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { bytea, devflow, tenant, time } from './schema-base.ts'

/** Bodies by their SHA-256, kept per run so that deleting a run frees them. */
export const blobs = devflow.table(
  'blobs',
  {
    runId: uuid('run_id').notNull(),
    sha256: text('sha256').notNull(),
    tenant: tenant(),
    content: bytea('content').notNull(),
    createdAt: time('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.sha256] })],
)

/** Bodies too large for one row, in parts; a body is whole once something names it. */
export const blobParts = devflow.table(
  'blob_parts',
  {
    runId: uuid('run_id').notNull(),
    sha256: text('sha256').notNull(),
    part: integer('part').notNull(),
    tenant: tenant(),
    content: bytea('content').notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.sha256, table.part] })],
)

/** Projection: snapshots of workspaces; the bytes are in `blob_parts`. */
export const workspaceSnapshots = devflow.table(
  'workspace_snapshots',
  {
    runId: uuid('run_id').notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    tenant: tenant(),
    /** Of work done at once each line has files of its own. */
    line: text('line').notNull(),
    phase: text('phase').notNull(),
    attempt: integer('attempt').notNull(),
    sha256: text('sha256').notNull(),
    bytes: bigint('bytes', { mode: 'number' }).notNull(),
    commit: text('commit').notNull(),
    /** The commit that must be there before it: a snapshot's, or the one the run pinned. */
    base: text('base').notNull(),
    /** How many bundles it takes to restore it. */
    links: integer('links').notNull(),
    at: time('at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.seq] })],
)

/** Which run has a repository and base for itself. A run that is over holds nothing: its row is the next one's to take. */
export const workspaceSlots = devflow.table(
  'workspace_slots',
  {
    tenant: tenant(),
    repo: text('repo').notNull(),
    base: text('base').notNull(),
    runId: uuid('run_id').notNull(),
    takenAt: time('taken_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.repo, table.base] })],
)
