import type { Queryable } from '../read/queryable.ts'

/** The current version of the registry; 0 before the first change. */
export async function registryVersion(db: Queryable, tenant: string): Promise<number> {
  const { rows } = await db.query<{ version: number }>({
    name: 'registry-version',
    text: 'select coalesce(max(version), 0) as version from devflow.registry_versions where tenant = $1',
    values: [tenant],
  })
  return rows[0]?.version ?? 0
}
