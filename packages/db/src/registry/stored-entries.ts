import type { Queryable } from '../read/queryable.ts'

/** An entry made over HTTP; `body` is the entry as the entry formats have it. */
export interface StoredEntry {
  id: string
  kind: string
  hash: string
  body: Record<string, unknown>
}

/** The entries made over HTTP as they were at a version. */
export async function storedEntries(db: Queryable, tenant: string, version: number): Promise<StoredEntry[]> {
  const { rows } = await db.query<StoredEntry>({
    name: 'stored-entries',
    text: `select id, kind, hash, body from (
             select distinct on (id) id, kind, hash, body from devflow.registry_changes
             where tenant = $1 and version <= $2 order by id, version desc
           ) latest where body is not null`,
    values: [tenant, version],
  })
  return rows
}
