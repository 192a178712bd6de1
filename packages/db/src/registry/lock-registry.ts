import type { Queryable } from '../read/queryable.ts'
import { registryVersion } from './registry-version.ts'

/**
 * Waits until no other change of the registry is under way and answers its version, which then stays until the end
 * of this transaction. To be asked inside one, before anything is read to base a change on. The transaction may then
 * be idle for a minute, in which the change is checked.
 */
export async function lockRegistry(db: Queryable, tenant: string): Promise<number> {
  await db.query({
    name: 'lock-registry',
    text: `select pg_advisory_xact_lock(hashtextextended($1, 8)), set_config('idle_in_transaction_session_timeout', '60s', true)`,
    values: [tenant],
  })
  // A statement of its own: only what begins after the lock is had sees what the last holder has committed.
  return await registryVersion(db, tenant)
}
