import type { Budget, Definition, Run, Workspace } from '@devflow/contracts'
import type { Queryable } from '../read/queryable.ts'
import { takeSlot } from '../workspace/index.ts'

/** What `run.submitted` says of a run. */
export interface Submitted {
  format: 1
  template: string
  title: string
  definitionHash: string
  input: Run['input']
  labels: Record<string, string>
  /** The template's, with what the submission said laid over it. */
  budget: Budget
  workspace?: Workspace
  actor: string
  parent?: string
  /** Role → persona. */
  bindings: Record<string, string>
  /** W3C, of the request it came by; kept for traces alone: nothing else reads it. */
  traceparent?: string
  phases: { id: string; kind: string }[]
}

/** Takes run, tenant, definition's hash, definition, and what was submitted. */
export const SUBMIT_RUN = {
  name: 'submit-run',
  text: 'select devflow.submit($1, $2, $3, $4::jsonb, $5::jsonb)',
}

/**
 * Makes a run, queued, with the wake that starts it. `run`: a new UUIDv7. Throws when the id is taken, and CONFLICT
 * `workspace_busy` when another run has the exclusive workspace it asks for: then its transaction must be rolled back.
 */
export async function submitRun(
  db: Queryable,
  {
    run,
    tenant,
    definition,
    submitted,
  }: { run: string; tenant: string; definition: Definition; submitted: Submitted },
): Promise<void> {
  await db.query({
    ...SUBMIT_RUN,
    values: [run, tenant, submitted.definitionHash, JSON.stringify(definition), JSON.stringify(submitted)],
  })
  if (submitted.workspace?.exclusive) await takeSlot(db, run)
}
