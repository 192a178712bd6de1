import type { Definition } from '@devflow/contracts'
import type { Submitted } from '../command/submit-run.ts'
import type { Queryable } from './queryable.ts'

/** What a run was submitted with, and the definition it keeps (I9); undefined when the tenant has no such run. */
export async function readSubmission(
  db: Queryable,
  tenant: string,
  run: string,
): Promise<{ submitted: Submitted; definition: Definition } | undefined> {
  const { rows } = await db.query<{ submitted: Submitted; definition: Definition }>({
    name: 'read-submission',
    text: `select e.data as submitted, d.body as definition from devflow.run_events e join devflow.definitions d on d.hash = e.data->>'definitionHash'
           where e.run_id = $1 and e.tenant = $2 and e.key = 'run/submitted'`,
    values: [run, tenant],
  })
  return rows[0]
}
