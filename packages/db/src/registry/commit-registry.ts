import type { AppliedChange } from '@devflow/contracts'
import type { Queryable } from '../read/queryable.ts'

/** A change as it is kept: without a body the entry is deleted. */
export interface KeptChange extends AppliedChange {
  body?: Record<string, unknown>
}

export interface NewVersion {
  tenant: string
  /** One more than the version that `lockRegistry` answered in this transaction. */
  version: number
  actor: string
  restoredFrom?: number
  changes: readonly KeptChange[]
}

/** Writes a version of the registry. Throws when the version is there already. */
export async function commitRegistry(
  db: Queryable,
  { tenant, version, actor, restoredFrom, changes }: NewVersion,
): Promise<void> {
  await db.query({
    name: 'commit-registry-version',
    text: `insert into devflow.registry_versions (tenant, version, actor, restored_from, at)
           values ($1, $2, $3, $4, clock_timestamp())`,
    values: [tenant, version, actor, restoredFrom ?? null],
  })
  await db.query({
    name: 'commit-registry-changes',
    text: `insert into devflow.registry_changes (tenant, version, position, op, id, kind, hash, body)
           select $1, $2, c.position, c.change->>'op', c.change->>'id', c.change->>'kind', c.change->>'hash', c.change->'body'
           from jsonb_array_elements($3::jsonb) with ordinality as c(change, position)`,
    values: [tenant, version, JSON.stringify(changes)],
  })
}
