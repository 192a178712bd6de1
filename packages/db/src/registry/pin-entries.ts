import type { Queryable } from '../read/queryable.ts'

/**
 * Pins each `name@version` to the content it is seen with for the first time. Answers id → hash as pinned, which may
 * be other content, pinned before.
 */
export async function pinEntries(
  db: Queryable,
  tenant: string,
  entries: readonly { id: string; hash: string }[],
): Promise<Map<string, string>> {
  // In one order everywhere: two that pin the same ids wait for each other, and never in a circle.
  const sorted = [...entries].sort((a, b) => (a.id < b.id ? -1 : 1))
  const ids = sorted.map(({ id }) => id)
  const values = [tenant, ids, sorted.map(({ hash }) => hash)]
  await db.query({
    name: 'pin-entries',
    text: `insert into devflow.registry_pins (tenant, id, hash)
           select $1, e.id, e.hash from unnest($2::text[], $3::text[]) as e(id, hash)
           on conflict do nothing`,
    values,
  })
  return await pinsOf(db, tenant, ids)
}

/** Id → the hash it is pinned to, of those that are. */
export async function pinsOf(
  db: Queryable,
  tenant: string,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await db.query<{ id: string; hash: string }>({
    name: 'registry-pins',
    text: 'select id, hash from devflow.registry_pins where tenant = $1 and id = any($2::text[])',
    values: [tenant, ids],
  })
  return new Map(rows.map(({ id, hash }) => [id, hash]))
}
