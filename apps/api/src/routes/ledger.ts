import { readAudit, readCalls } from '@devflow/db'
import { z } from 'zod'
import { AuditPage, CallPage } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { findRun, NO_RUN } from '../find-run.ts'
import type { Operations } from '../operation.ts'
import { paging } from '../query.ts'

const query = z.strictObject(paging(1_000, 1_000))
const problems = [...NO_RUN, 'bad_cursor'] as const

export function ledgerRoutes(operations: Operations, deps: ApiDeps): void {
  const { pool, tenant } = deps

  operations.add(
    {
      method: 'get',
      path: '/v1/runs/{id}/calls',
      operationId: 'listCalls',
      summary: 'List the model calls of a run: the ledger',
      tag: 'ledger',
      query,
      answers: { 200: { description: 'A page of calls, oldest first.', schema: CallPage } },
      problems,
    },
    async ({ c, params: { id = '' }, query }) => {
      await findRun(pool, tenant, id)
      return c.json(await readCalls(pool, id, query))
    },
  )

  operations.add(
    {
      method: 'get',
      path: '/v1/runs/{id}/audit',
      operationId: 'listToolCalls',
      summary: 'List the tool calls of a run',
      tag: 'ledger',
      query,
      answers: { 200: { description: 'A page of tool calls, oldest first.', schema: AuditPage } },
      problems,
    },
    async ({ c, params: { id = '' }, query }) => {
      await findRun(pool, tenant, id)
      return c.json(await readAudit(pool, id, query))
    },
  )
}
