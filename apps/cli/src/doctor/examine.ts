import type { Check, CheckId, Finding, Patient } from './check.ts'
import { checkApi } from './checks/api.ts'
import { checkData } from './checks/data.ts'
import { checkGit } from './checks/git.ts'
import { checkNode } from './checks/node.ts'
import { checkPostgres } from './checks/postgres.ts'
import { checkProvider } from './checks/provider.ts'
import { checkSandbox } from './checks/sandbox.ts'
import { checkTemporal } from './checks/temporal.ts'
import { checkWorkers } from './checks/workers.ts'

/** In the order in which they are told: from the ground up. */
const CHECKS: readonly (readonly [CheckId, Check])[] = [
  ['node', checkNode],
  ['git', checkGit],
  ['sandbox', checkSandbox],
  ['data', checkData],
  ['postgres', checkPostgres],
  ['temporal', checkTemporal],
  ['api', checkApi],
  ['workers', checkWorkers],
  ['provider', checkProvider],
]

export type Diagnosis = { id: CheckId } & Finding

/** Makes all checks, all at once. */
export function examine(patient: Patient): Promise<Diagnosis[]> {
  return Promise.all(CHECKS.map(async ([id, check]) => ({ id, ...(await check(patient)) })))
}
