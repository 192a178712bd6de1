import type { AppliedChange, RegistryVersion } from '@devflow/contracts'
import { z } from 'zod'
import { keyOfCursor, type Page, pageOf } from '../read/cursor.ts'
import { isoTime, present, type Queryable } from '../read/queryable.ts'

interface Row {
  version: number
  actor: string
  restored_from: number | null
  at: Date
  changes: AppliedChange[]
}

const Key = z.tuple([z.int()])

/** The versions of the registry, newest first. */
export async function listRegistryVersions(
  db: Queryable,
  tenant: string,
  { cursor, limit }: { cursor?: string; limit: number },
): Promise<Page<RegistryVersion>> {
  const before = cursor === undefined ? null : keyOfCursor(cursor, Key)[0]
  const { rows } = await db.query<Row>({
    name: 'list-registry-versions',
    text: `select v.version, v.actor, v.restored_from, v.at, coalesce((
             select jsonb_agg(jsonb_build_object('op', c.op, 'id', c.id, 'kind', c.kind, 'hash', c.hash) order by c.position)
             from devflow.registry_changes c where c.tenant = v.tenant and c.version = v.version
           ), '[]') as changes
           from devflow.registry_versions v
           where v.tenant = $1 and ($2::bigint is null or v.version < $2)
           order by v.version desc limit $3`,
    values: [tenant, before, limit + 1],
  })
  return pageOf(rows, limit, viewOf, (row) => [row.version])
}

function viewOf({ version, actor, restored_from, at, changes }: Row): RegistryVersion {
  return present({ version, actor, at: isoTime(at), restoredFrom: restored_from ?? undefined, changes })
}
