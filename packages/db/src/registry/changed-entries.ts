import type { Queryable } from '../read/queryable.ts'

/** An entry made over HTTP; `body` is the entry as the entry formats have it. Null: it is deleted. */
export interface ChangedEntry {
  id: string
  hash: string
  body: unknown
}

/** What the versions after `after` up to `to` have made of the entries they changed; after 0: all that there is. */
export async function changedEntries(
  db: Queryable,
  tenant: string,
  { after, to }: { after: number; to: number },
): Promise<ChangedEntry[]> {
  const { rows } = await db.query<ChangedEntry>({
    name: 'changed-entries',
    text: `select distinct on (id) id, hash, body from devflow.registry_changes
           where tenant = $1 and version > $2 and version <= $3 order by id, version desc`,
    values: [tenant, after, to],
  })
  return rows
}
